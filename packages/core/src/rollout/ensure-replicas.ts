import type { Release } from "../model/release.ts";
import type { ProviderContext } from "../provider/context.ts";
import { inParallel } from "./in-parallel.ts";
import type { Replica, ReplicaDriver } from "./replica-driver.ts";
import { beforeEffect } from "./with-signal.ts";

interface WantedReplicas {
  readonly release: Release;
  /** Ordinals 1 to this one run. */
  readonly replicas: number;
  /** All that the release is to have in the end. */
  readonly total: number;
  readonly deployment: string;
  readonly timeoutMs: number;
  readonly parallel: number;
}

/**
 * Every ordinal up to `wanted.replicas` has a replica that runs and passed its gate. `existing` are those of its revision. Resolves
 * with those that were made for it, as they were then.
 */
export async function ensureReplicas(
  driver: ReplicaDriver,
  wanted: WantedReplicas,
  existing: readonly Replica[],
  context: ProviderContext,
): Promise<readonly Replica[]> {
  const made: Replica[] = [];
  const ordinals = Array.from({ length: wanted.replicas }, (_, index) => index + 1);
  await inParallel(ordinals, wanted.parallel, context, async (ordinal, inner) => {
    const candidates = existing.filter((each) => each.ordinal === ordinal);
    if (candidates.some((each) => each.state === "ready")) return;
    // One that ended is started again in its place: a second one of its ordinal would double it.
    const found = candidates.find(isRunning) ?? candidates[0];
    const isUnstarted = found?.isUnstarted === true && found.deployment === wanted.deployment;
    const isMade = found === undefined || isUnstarted;
    const replica = isMade ? await create(driver, wanted, ordinal, inner) : found;
    if (isMade) made.push(replica);
    await makeReady(driver, wanted, replica, inner);
  });
  return made;
}

async function create(
  driver: ReplicaDriver,
  wanted: WantedReplicas,
  ordinal: number,
  context: ProviderContext,
): Promise<Replica> {
  await beforeEffect(context);
  const { release, total, deployment } = wanted;
  const replica = await driver.create({ release, ordinal, replicas: total, deployment }, context);
  context.progress({ type: "replica.created", message: "created", replica: replica.name, release: release.number });
  return replica;
}

async function makeReady(
  driver: ReplicaDriver,
  wanted: WantedReplicas,
  replica: Replica,
  context: ProviderContext,
): Promise<void> {
  const { release, timeoutMs } = wanted;
  // Also one that is starting: whoever created it may have died before it was started.
  if (!isRunning(replica) || replica.state === "starting") {
    await beforeEffect(context);
    await driver.start(replica, context);
  }
  await driver.waitReady(replica, release, { timeoutMs }, context);
  context.progress({ type: "replica.ready", message: "ready", replica: replica.name, release: release.number });
}

export function isRunning(replica: Pick<Replica, "state">): boolean {
  return replica.state !== "stopped" && replica.state !== "exited";
}
