import type { InstanceIdentity, InstanceStatus, ProviderContext } from "@ctrlplane/core/provider";
import { describeAdopted } from "./adopted-replicas.ts";
import { isLegacy } from "./adoption.ts";
import { findContainers, inspect } from "./containers.ts";
import { listInstances } from "./list-instances.ts";

/** What pctl 1.1 runs under this name, where nothing of it was ever taken over; undefined for everything else. */
export async function legacyStatus(
  parts: Parameters<typeof listInstances>[0],
  { name }: Pick<InstanceIdentity, "name">,
  context: ProviderContext,
): Promise<InstanceStatus | undefined> {
  const { engine, records, adoptions } = parts;
  const { signal } = context;
  if ((await adoptions.read({ name }, signal)) !== undefined) return undefined;
  if ((await records.read({ name }, context)) !== undefined) return undefined;
  const containers = (await findContainers(engine, name, signal)).filter(isLegacy);
  if (containers.length === 0) return undefined;
  const page = await listInstances(parts, { names: [name] }, signal);
  const seen = page.instances.find((each) => each.name === name);
  if (seen === undefined) return undefined;
  const details = await Promise.all(containers.map(({ Id }) => inspect(engine, Id, signal)));
  return { ...seen, replicas: details.flatMap((each) => (each === undefined ? [] : describeAdopted(each, name))) };
}
