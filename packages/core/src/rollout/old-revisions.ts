import { revisionKey } from "../model/release.ts";
import type { RevisionState, RolloutState, Weights } from "./revision-driver.ts";
import type { Rollout } from "./rollout.ts";

/** How long new replicas live side by side with the old ones before those go. */
export const settleMs = 5_000;

/** The revisions that are replaced: those that get traffic, and the one to go back to even where it does not. */
export function oldRevisions({ release, previous }: Rollout["request"], seen: RolloutState): readonly RevisionState[] {
  const known = [previous?.revision, seen.settled].flatMap((each) => (each === undefined ? [] : [revisionKey(each)]));
  const kept = seen.adopted === undefined ? known : [...known, seen.adopted];
  return seen.revisions.filter(
    (each) => each.key !== revisionKey(release.revision) && (each.weight > 0 || kept.includes(each.key)),
  );
}

/** What neither serves nor served goes first, so that it holds no room. */
export async function retireLeftovers(
  { request, platform, seen }: Pick<Rollout, "request" | "platform" | "seen">,
  old: readonly RevisionState[],
): Promise<void> {
  const key = revisionKey(request.release.revision);
  for (const other of seen.revisions) {
    if (other.key !== key && !old.includes(other)) await platform.retire(other.key, 0);
  }
}

/** The new revision's percent, and the rest by the ready replicas of the old ones; without any ready the new one gets all. */
export function shares(key: string, percent: number, old: readonly RevisionState[]): Weights {
  const ready = old.reduce((sum, each) => sum + each.ready, 0);
  if (ready === 0 || percent === 100) return { [key]: 100 };
  const rest = 100 - percent;
  const others = old.filter((each) => each.ready > 0).map((each) => [each.key, (rest * each.ready) / ready] as const);
  return { [key]: percent, ...Object.fromEntries(others) };
}
