import { label } from "@ctrlplane/core/provider";
import type { DeprovisionRequest, ProviderContext, ReplicaDriver } from "@ctrlplane/core/provider";
import type { Retention } from "./kept.ts";
import { requireOurs } from "./ownership.ts";
import type { LocalReplica } from "./supervisor/operations.ts";
import { readInstance, readInstances, readReplicas } from "./supervisor/read.ts";
import { ownerOf } from "./remains.ts";
import { readVolumes, removeVolume } from "./volumes.ts";

export interface DeprovisionParts {
  readonly dir: string;
  readonly driver: ReplicaDriver;
  readonly retention: Retention;
}

/** How long requests in flight may still take when their service is removed. */
const drainMs = 5_000;

/** Nothing of the instance runs or is recorded; its logs stay in the archive, its volumes unless they are to go. */
export async function deprovision(
  { dir, driver, retention }: DeprovisionParts,
  { instance, volumes }: DeprovisionRequest,
  context: ProviderContext,
): Promise<void> {
  requireOurs(dir, instance);
  const all = readVolumes(dir);
  const mounted = new Set(readInstances(dir).flatMap((each) => (each.name === instance.name ? each.volumes : [])));
  // Where there is nothing, no supervisor is started to say so.
  if (readReplicas(dir, instance.name).length > 0 || readInstance(dir, instance.name) !== undefined) {
    await driver.schedule?.(instance, undefined, context);
    await driver.route(instance, undefined, context);
    const replicas = readReplicas(dir, instance.name);
    await Promise.all(replicas.map((replica) => endReplica(driver, replica, context)));
    await driver.settle(instance, undefined, context);
  }
  await retention.forget(instance.name);
  if (volumes) {
    const used = new Set(readInstances(dir).flatMap((each) => each.volumes));
    for (const each of all) {
      const isOwn = ownerOf(each) === instance.name || (each.instance === undefined && mounted.has(each.name));
      if (!isOwn || each.labels[label.lineage] !== instance.lineage) continue;
      await context.fence.check();
      if (!used.has(each.name)) await removeVolume(dir, each.name);
    }
  }
  await retention.prune();
}

async function endReplica(driver: ReplicaDriver, replica: LocalReplica, context: ProviderContext): Promise<void> {
  await driver.drain(replica, { timeoutMs: drainMs }, context);
  await driver.stop(replica, replica.record.policy.stop, context);
  await driver.remove(replica, context);
}
