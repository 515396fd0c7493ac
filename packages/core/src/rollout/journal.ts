import type { FailureDetail } from "../errors/error.ts";

/** A decision of a rollout. Effects can be observed after a crash, decisions cannot: each is written before its effect. */
export type RolloutDecision =
  /** A canary's or blue-green's step has been reached; `until` is absent for a pause that waits for a person. */
  | { readonly kind: "step"; readonly step: number; readonly weight: number }
  | { readonly kind: "pause"; readonly step: number; readonly until?: string }
  | { readonly kind: "promote" }
  | { readonly kind: "abort" }
  /** The way back was begun; only its end remains. */
  | {
      readonly kind: "revert";
      readonly failure?: FailureDetail;
      /** It had succeeded, and goes back with this service, which failed. */
      readonly because?: string;
    };

export interface RolloutJournal {
  /** Decisions of this deployment so far, oldest first; more than none after a crash. */
  readonly decisions: readonly RolloutDecision[];
  /** Resolves once it is stored; throws `CONFLICT` where the lease is lost, and then nothing may follow. */
  decide(decision: RolloutDecision): Promise<void>;
}
