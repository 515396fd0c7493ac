import type { InstanceIdentity, InstanceStatus, ProviderContext, Replica } from "@ctrlplane/core/provider";
import { describeAdopted, legacyAmong } from "./adopted-replicas.ts";
import { findContainers, inspect } from "./containers.ts";
import { listInstances } from "./list-instances.ts";

type LegacyParts = Parameters<typeof listInstances>[0];

/** What pctl 1.1 runs under this name, where no release of ours ever took its place; none for everything else. */
export async function legacyReplicas(
  { engine, records, adoptions }: Omit<LegacyParts, "publicHost">,
  { name }: Pick<InstanceIdentity, "name">,
  context: ProviderContext,
): Promise<readonly Replica[]> {
  const { signal } = context;
  const record = (await records.read({ name }, context))?.record;
  if (record?.settled !== undefined) return [];
  const adoption = await adoptions.read({ name }, signal);
  const containers = legacyAmong(await findContainers(engine, name, signal), { adoption, record });
  const details = await Promise.all(containers.map(({ Id }) => inspect(engine, Id, signal)));
  return details.flatMap((each) => (each === undefined ? [] : describeAdopted(each, name)));
}

/** Of `legacyReplicas`; undefined where there are none. */
export async function legacyStatus(
  parts: LegacyParts,
  { name }: Pick<InstanceIdentity, "name">,
  context: ProviderContext,
): Promise<InstanceStatus | undefined> {
  const replicas = await legacyReplicas(parts, { name }, context);
  if (replicas.length === 0) return undefined;
  const page = await listInstances(parts, { names: [name] }, context);
  const seen = page.instances.find((each) => each.name === name);
  return seen === undefined ? undefined : { ...seen, replicas };
}
