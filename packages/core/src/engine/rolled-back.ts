import type { ProviderContext } from "../provider/context.ts";
import type { Survey } from "./survey.ts";

export interface RolledBack {
  /** The release that was left. */
  readonly release: number;
  readonly specHash: string;
  readonly change: number;
}

/** Where the last change of the stack was a rollback: what it left, by service. */
export async function lastRollbacks(seen: Survey, context: ProviderContext): Promise<Map<string, RolledBack>> {
  const left = new Map<string, RolledBack>();
  const last = seen.lastChange;
  if (last?.command !== "rollback") return left;
  for (const each of seen.surveys.values()) {
    for (const deployment of await each.platform.ledger.deployments(last.number, context)) {
      if (deployment.from === undefined || deployment.outcome !== "succeeded") continue;
      const found = await each.platform.ledger.openRelease(deployment.service, deployment.from, context);
      if (found !== undefined)
        left.set(deployment.service, {
          release: deployment.from,
          specHash: found.release.specHash,
          change: last.number,
        });
    }
  }
  return left;
}
