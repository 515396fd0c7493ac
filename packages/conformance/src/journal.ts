import type { Lease } from "./lease.ts";
import type { RolloutDecision, RolloutJournal } from "@ctrlplane/core/provider";

/** As the engine's: what was decided is seen by the next call, and nothing is decided under a lost lease. */
export interface TestJournal extends RolloutJournal {
  readonly decisions: RolloutDecision[];
}

export function journalOf(lease: Lease, decisions: readonly RolloutDecision[] = []): TestJournal {
  const kept = [...decisions];
  return {
    decisions: kept,
    async decide(decision) {
      await lease.fence.check();
      return Promise.resolve(void kept.push(decision));
    },
  };
}
