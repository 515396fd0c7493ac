import { revisionKey, type Release } from "../model/release.ts";
import { batchSize } from "./replica-count.ts";
import type { RevisionState, RolloutState, Weights } from "./revision-driver.ts";
import { settledRelease, type Rollout } from "./rollout.ts";
import type { Steps } from "./steps.ts";

/** How long new replicas live side by side with the old ones before those go. */
const settleMs = 5_000;

/**
 * Batch by batch: start, ready, route. The replicas that a batch replaces stay until it has lived for 5 s; the next batch does
 * not wait for that. Where nothing old runs, all come at once and nothing waits.
 */
export async function rolling({ request, replicas, platform, seen }: Rollout): Promise<void> {
  const { release } = request;
  const key = revisionKey(release.revision);
  const current = seen.revisions.find((each) => each.key === key);
  const old = oldRevisions(request, seen);

  for (const other of seen.revisions) {
    // What neither serves nor served is a leftover: it goes first, so that it holds no room.
    if (other.key !== key && !old.includes(other)) await platform.retire(other.key, 0);
  }
  if (current !== undefined) await platform.configure(release);

  const isSideBySide = old.some((each) => each.desired > 0);
  const batch = isSideBySide ? batchSize(request.strategy.batch, replicas) : replicas;
  const successor = settleInTurn(platform, release, old, isSideBySide);
  let placed = current !== undefined && current.weight > 0 ? Math.min(current.ready, replicas) : 0;
  try {
    do {
      placed = Math.min(replicas, placed + batch);
      await platform.ensure(release, placed, successor.stopped);
      await platform.weigh(release, shares(key, placed / replicas, old));
      platform.tellRouted(release, placed, replicas);
      successor.routed(placed / replicas);
    } while (placed < replicas);
    await successor.done();
  } catch (error) {
    throw await successor.stop(error);
  }
  await platform.retire(key, replicas);
  await platform.settle(settledRelease(release, request));
}

/** The revisions that are replaced: those that get traffic, and the one to go back to even where it does not. */
function oldRevisions({ release, previous }: Rollout["request"], seen: RolloutState): readonly RevisionState[] {
  const kept = [previous?.revision, seen.settled].flatMap((each) => (each === undefined ? [] : [revisionKey(each)]));
  return seen.revisions.filter(
    (each) => each.key !== revisionKey(release.revision) && (each.weight > 0 || kept.includes(each.key)),
  );
}

/** The new revision's share, and the rest by the ready replicas of the old ones; without any ready the new one gets all. */
function shares(key: string, share: number, old: readonly RevisionState[]): Weights {
  const ready = old.reduce((sum, each) => sum + each.ready, 0);
  if (ready === 0 || share === 1) return { [key]: 100 };
  const rest = 100 - share * 100;
  const others = old.filter((each) => each.ready > 0).map((each) => [each.key, (rest * each.ready) / ready] as const);
  return { [key]: 100 - rest, ...Object.fromEntries(others) };
}

interface Successor {
  /** Aborts when a routed batch did not last. */
  readonly stopped: AbortSignal;
  /** This share of the new revision has just been routed: what it replaces goes once it has lived. */
  routed(share: number): void;
  /** All that was routed has lived, all that it replaces is gone. */
  done(): Promise<void>;
  /** Ends what is going on; resolves with what failed first. */
  stop(error: unknown): Promise<unknown>;
}

function settleInTurn(
  platform: Steps,
  release: Release,
  old: readonly RevisionState[],
  isSideBySide: boolean,
): Successor {
  const stopping = new AbortController();
  let turn = Promise.resolve();
  const settle = async (share: number): Promise<void> => {
    if (isSideBySide) await platform.outlive(release, settleMs, stopping.signal);
    for (const each of old) {
      await platform.retire(each.key, Math.ceil(each.desired * (1 - share)), stopping.signal);
    }
  };
  return {
    stopped: stopping.signal,
    routed(share) {
      turn = turn.then(() => settle(share));
      turn.catch((error: unknown) => stopping.abort(error));
    },
    done: () => turn,
    async stop(error) {
      stopping.abort(error);
      await Promise.allSettled([turn]);
      const first: unknown = stopping.signal.reason;
      return first;
    },
  };
}
