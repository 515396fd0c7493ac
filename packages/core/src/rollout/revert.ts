import { isCtrlPlaneError } from "../errors/error.ts";
import { canonicalJson } from "../model/hash.ts";
import { revisionKey } from "../model/release.ts";
import type { RevisionState, Weights } from "./revision-driver.ts";
import { settledRelease, type Rollout } from "./rollout.ts";

/**
 * Back to the release before: whatever state it finds, it ends with `previous` routed, on all its replicas, and nothing else
 * left; without a previous one, with what pctl 1.1 left there, or with nothing. Resolves with whether that is so: false where the previous
 * release does not become ready any more, which is then routed all the same, so that it serves once it recovers.
 */
export async function revert(rollout: Rollout): Promise<boolean> {
  const { request, platform, previousReplicas } = rollout;
  const { previous, release } = request;
  const seen = await platform.observe();
  const back = keyToGoBackTo(rollout);
  const others = seen.revisions.filter((each) => each.key !== back);
  const retireOthers = async (): Promise<void> => {
    for (const each of others) await platform.retire(each.key, 0);
  };

  if (back === undefined) {
    await platform.weigh(release, {});
    await retireOthers();
    return true;
  }
  if (back === seen.adopted) {
    // Its ports are its own: nothing of the release may hold them then.
    await platform.weigh(release, {});
    await retireOthers();
    return platform.restore();
  }
  // Strategies but recreate leave old replicas running: traffic comes back to them before anything else happens.
  if (request.strategy.type === "recreate") await retireOthers();
  const isReady = seen.revisions.some((each) => each.key === back && each.ready > 0);
  if (isReady) await platform.weigh(previous ?? release, { [back]: 100 });
  const serves = previous === undefined ? isReady : await bringBack(rollout);
  const spare = others.filter((each) => each.ready > 0);
  if (!serves && !isReady && previous?.id === release.id && request.strategy.type !== "recreate" && spare.length > 0) {
    // What was altered and is to be replaced by its own release: it serves, and nothing else does.
    await platform.weigh(release, evenly(spare));
    return false;
  }
  await platform.weigh(previous ?? release, { [back]: 100 });
  if (request.strategy.type !== "recreate") await retireOthers();
  if (previous !== undefined) {
    await platform.retire(back, previousReplicas);
    await settlePrevious(rollout);
  }
  return serves;
}

function evenly(revisions: readonly RevisionState[]): Weights {
  const ready = revisions.reduce((sum, each) => sum + each.ready, 0);
  return Object.fromEntries(revisions.map((each) => [each.key, (100 * each.ready) / ready]));
}

/**
 * What `onFailure: hold` asks for: the failed replicas stay for inspection, unrouted. Side by side the previous release serves
 * on all its replicas; after `recreate` nothing serves, since the two cannot run at a time. Where the failed release runs
 * the same replicas as the one before there is nothing to look at, and it is reverted. Resolves with whether it was.
 */
export async function hold(rollout: Rollout): Promise<boolean> {
  const { request, platform, seen } = rollout;
  const { previous, release } = request;
  const back = keyToGoBackTo(rollout);
  if (back === revisionKey(release.revision)) return revert(rollout);
  if (back === undefined || request.strategy.type === "recreate") {
    await platform.weigh(release, {});
    return false;
  }
  if (back === seen.adopted) {
    await platform.weigh(release, {});
    await platform.restore();
    return false;
  }
  await platform.weigh(previous ?? release, { [back]: 100 });
  if (previous !== undefined) {
    await bringBack(rollout);
    await platform.weigh(previous, { [back]: 100 });
  }
  return false;
}

/** The previous release's revision; where the previous release is not known, the settled revision as long as it runs; what pctl 1.1 left. */
function keyToGoBackTo({ request, seen }: Rollout): string | undefined {
  if (request.previous !== undefined) return revisionKey(request.previous.revision);
  if (seen.settled === undefined) return seen.adopted;
  const settled = revisionKey(seen.settled);
  const isOther = settled !== revisionKey(request.release.revision);
  return isOther && seen.revisions.some((each) => each.key === settled && each.desired > 0) ? settled : undefined;
}

async function bringBack({ request, platform, previousReplicas }: Rollout): Promise<boolean> {
  if (request.previous === undefined) return false;
  await platform.configure(request.previous);
  try {
    await platform.ensure(request.previous, previousReplicas);
    return true;
  } catch (error) {
    // It may have been broken before; that must not keep the failed release in its place.
    if (isCtrlPlaneError(error) && error.code === "FAILED") return false;
    throw error;
  }
}

/** Settling is a rollout's last step, so this has work only where the way back was decided after it. */
async function settlePrevious({ request, platform, seen }: Rollout): Promise<void> {
  const { previous } = request;
  if (previous === undefined) return;
  const replicas = request.previousReplicas ?? previous.spec.scale.replicas;
  const { settled } = seen;
  const isSettled =
    settled?.releaseId === previous.id &&
    settled.generation === previous.revision.generation &&
    settled.replicaHash === previous.revision.replicaHash &&
    (request.previousReplicas === undefined || canonicalJson(settled.replicas) === canonicalJson(replicas));
  if (!isSettled) await platform.settle(settledRelease(previous, { deployment: request.deployment, replicas }));
}
