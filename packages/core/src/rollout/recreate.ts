import { revisionKey } from "../model/release.ts";
import { settledRelease, type Rollout } from "./rollout.ts";

/** All that is old goes first, then the new one comes: for services that cannot run twice at a time. */
export async function recreate({ request, replicas, platform, seen }: Rollout): Promise<void> {
  const { release } = request;
  const key = revisionKey(release.revision);
  for (const other of seen.revisions) {
    if (other.key !== key) await platform.retire(other.key, 0);
  }
  const isKnown = seen.revisions.some((each) => each.key === key);
  if (isKnown) await platform.configure(release);
  await platform.ensure(release, replicas);
  const settled = settledRelease(release, request);
  // Of one that was not there no replica is too many.
  await platform.weigh(release, { [key]: 100 }, isKnown ? undefined : settled);
  platform.tellRouted(release, replicas, replicas);
  if (isKnown) await platform.retire(key, replicas);
  await platform.settle(settled);
}
