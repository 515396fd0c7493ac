import { label } from "@ctrlplane/core/provider";
import type { DeprovisionRequest, InstanceIdentity, ProviderContext, ReplicaDriver } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";
import type { Adoptions } from "./adoption.ts";
import { leaveAdopted } from "./adopted-replicas.ts";
import { findContainers, inspect } from "./containers.ts";
import { type InstanceRecords } from "./instance-records.ts";
import { requireOurs } from "./require-ours.ts";
import { removeNetworkIfUnused } from "./network.ts";
import { removeContainer } from "./remove-container.ts";
import { stopReplica } from "./stop-replica.ts";
import { removeAdopted, removeVolumes } from "./volumes.ts";

const graceMs = 10_000;

export interface DeprovisionParts {
  readonly engine: EngineClient;
  readonly records: InstanceRecords;
  readonly adoptions: Adoptions;
  readonly driver: ReplicaDriver;
}

/** No container, record or network of the instance is left; its volumes only where they are not to go. */
export async function deprovision(
  { engine, records, adoptions, driver }: DeprovisionParts,
  { instance, volumes }: DeprovisionRequest,
  context: ProviderContext,
): Promise<void> {
  await mappedEngine(instance.name, async () => {
    const found = await records.read(instance, context);
    if (found !== undefined) requireOurs(instance, found.labels);
    const adoption = await adoptions.read(instance, context.signal);
    if (adoption !== undefined) requireOurs(instance, adoption.labels);
    const own = await ownContainers(engine, instance, context);
    const containers = [...own, ...(adoption?.containers ?? [])];
    const details = await Promise.all(containers.map((id) => inspect(engine, id, context.signal)));
    const mounted = new Set(details.flatMap((each) => each?.Mounts.flatMap(({ Name }) => Name ?? []) ?? []));
    await driver.route(instance, undefined, context);
    await Promise.all(
      details.map(async (each) => {
        if (each === undefined) return;
        await stopReplica(engine, each.Id, { graceMs }, context);
        await removeContainer(engine, each.Id, context);
      }),
    );
    await leaveAdopted(engine, adoptions, instance, context);
    await driver.settle(instance, undefined, context);
    if (volumes) {
      const others = await records.list(instance.stack, context.signal);
      const used = new Set(others.flatMap(({ record }) => record.volumes ?? []));
      await removeVolumes(engine, instance, { mounted, used }, context);
      await removeAdopted(engine, adoption?.volumes ?? [], context);
    }
    const isOver = adoption !== undefined && (volumes || adoption.volumes.length === 0);
    if (isOver) await adoptions.write(instance, { v: 1, containers: [], running: [], volumes: [] }, context);
    await removeNetworkIfUnused(engine, instance, context);
  });
}

async function ownContainers(
  engine: EngineClient,
  instance: InstanceIdentity,
  { signal }: ProviderContext,
): Promise<readonly string[]> {
  const found = await findContainers(engine, instance.name, signal);
  return found.filter((each) => each.Labels?.[label.lineage] === instance.lineage).map((each) => each.Id);
}
