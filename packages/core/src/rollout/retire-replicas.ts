import type { ProviderContext } from "../provider/context.ts";
import { isRunning } from "./ensure-replicas.ts";
import { inParallel } from "./in-parallel.ts";
import type { Replica, ReplicaDriver } from "./replica-driver.ts";
import { beforeEffect } from "./with-signal.ts";

export interface Ending {
  readonly drainMs: number;
  readonly signal?: string;
  readonly graceMs: number;
  readonly parallel: number;
}

/** Replicas that are not routed any more: drained, stopped, removed. */
export async function retireReplicas(
  driver: ReplicaDriver,
  leaving: readonly Replica[],
  ending: Ending,
  context: ProviderContext,
): Promise<void> {
  await inParallel(leaving, ending.parallel, context, async (replica, inner) => {
    await endReplica(driver, replica, ending, inner);
    await beforeEffect(inner);
    await driver.remove(replica, inner);
  });
}

/** Drained and stopped; it stays as a record that can be started again. */
export async function endReplica(
  driver: ReplicaDriver,
  replica: Replica,
  { drainMs, parallel: _, ...stop }: Ending,
  context: ProviderContext,
): Promise<void> {
  if (isRunning(replica)) {
    context.progress({ type: "replica.draining", message: "draining", replica: replica.name });
    await beforeEffect(context);
    await driver.drain(replica, { timeoutMs: drainMs }, context);
  }
  // Also one that ended: the platform may be about to restart it.
  await beforeEffect(context);
  await driver.stop(replica, stop, context);
  if (isRunning(replica)) context.progress({ type: "replica.stopped", message: "stopped", replica: replica.name });
}
