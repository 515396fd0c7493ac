import { revisionKey, type Release } from "../model/release.ts";
import { oldRevisions, retireLeftovers, settleMs, shares } from "./old-revisions.ts";
import { batchSize } from "./replica-count.ts";
import type { RevisionState } from "./revision-driver.ts";
import { settledRelease, type Rollout } from "./rollout.ts";
import type { Steps } from "./steps.ts";

/**
 * Batch by batch: start, ready, route. The replicas that a batch replaces stay until it has lived for 5 s; the next batch does
 * not wait for that. Where nothing old runs, all come at once and nothing waits.
 */
export async function rolling({ request, replicas, platform, seen }: Rollout): Promise<void> {
  const { release } = request;
  const key = revisionKey(release.revision);
  const current = seen.revisions.find((each) => each.key === key);
  const old = oldRevisions(request, seen);

  await retireLeftovers({ request, platform, seen }, old);
  if (current !== undefined) await platform.configure(release);

  const isSideBySide = old.some((each) => each.desired > 0);
  const batch = isSideBySide ? batchSize(request.strategy.batch, replicas) : replicas;
  const successor = settleInTurn(platform, release, old, isSideBySide);
  let placed = current !== undefined && current.weight > 0 ? Math.min(current.ready, replicas) : 0;
  try {
    do {
      placed = Math.min(replicas, placed + batch);
      await platform.ensure(release, placed, successor.stopped);
      await platform.weigh(release, shares(key, (100 * placed) / replicas, old));
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
