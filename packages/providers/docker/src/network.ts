import { label, managedBy } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Labels, ProviderContext } from "@ctrlplane/core/provider";
import { compare, isEngineError, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { labelled, stackLabels } from "./labels.ts";
import { sightOf } from "./lease-sight.ts";
import { networkName } from "./names.ts";
import { removeNetwork } from "./remove-network.ts";
import { requireOurs } from "./require-ours.ts";

interface NetworkAnswer {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Labels | null;
  readonly Created: string;
}

/** The stack's network exists, once. */
export async function ensureNetwork(
  engine: EngineClient,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<void> {
  const own = sightOf(engine, context.fence).networks;
  const name = networkName(instance);
  for (let other = own.get(name); other !== undefined; other = own.get(name)) {
    if (await other) return;
    if (own.get(name) === other) break;
  }
  const work = findOrMake(engine, name, instance, context);
  own.set(
    name,
    work.then(
      () => true,
      () => false,
    ),
  );
  await work;
}

async function findOrMake(
  engine: EngineClient,
  name: string,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<void> {
  const { signal } = context;
  const [first] = await networksNamed(engine, name, signal);
  if (first !== undefined) return requireOurs(instance, first.Labels ?? {}, `network ${name}`);
  const { api } = await engine.version();
  // Newer engines check by themselves, and do not know the word any more.
  const checked = compare(api, "1.44") < 0 ? { CheckDuplicate: true } : {};
  await context.fence.check();
  const body = { Name: name, ...checked, Driver: "bridge", Labels: stackLabels(instance) };
  const made = await unlessConflict(
    engine.json<NetworkAnswer>({ method: "POST", path: "/networks/create", body, signal }),
  );
  // Older engines make a second one of a name where two ask at a time: the oldest stays.
  const [oldest] = await networksNamed(engine, name, signal);
  if (made === undefined || oldest === undefined || oldest.Id === made.Id) return;
  await unlessMissing(engine.json({ method: "DELETE", path: `/networks/${made.Id}`, signal }));
}

/** Networks of ours: id by name. */
export async function listNetworks(engine: EngineClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const query = { filters: labelled([label.managedBy, managedBy]) };
  const found = await engine.json<readonly NetworkAnswer[]>({ method: "GET", path: "/networks", query, signal });
  return new Map(found.map((each) => [each.Name, each.Id]));
}

/** Oldest first. */
async function networksNamed(
  engine: EngineClient,
  name: string,
  signal: AbortSignal,
): Promise<readonly NetworkAnswer[]> {
  const query = { filters: { name: [name] } };
  const found = await engine.json<readonly NetworkAnswer[]>({ method: "GET", path: "/networks", query, signal });
  // The filter finds parts of names too.
  return found
    .filter((each) => each.Name === name)
    .sort((a, b) => Date.parse(a.Created) - Date.parse(b.Created) || (a.Id < b.Id ? -1 : 1));
}

async function unlessConflict<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isEngineError(error, 409)) return undefined;
    throw error;
  }
}

/** The network goes with the last container in it. */
export async function removeNetworkIfUnused(
  engine: EngineClient,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<void> {
  const filters = labelled([label.stack, instance.stack], [label.lineage, instance.lineage]);
  const query = { filters };
  const found = await engine.json<readonly NetworkAnswer[]>({
    method: "GET",
    path: "/networks",
    query,
    signal: context.signal,
  });
  sightOf(engine, context.fence).networks.clear();
  for (const each of found) {
    await context.fence.check();
    if ((await removeNetwork(engine, each, context)) !== "miscounted") continue;
    const message =
      `the network ${each.Name} stays: this engine counts a container in it, and there is none. ` +
      `It counts anew when it is started again; then: docker network rm ${each.Name}`;
    context.progress({ type: "diagnostic", message });
  }
}
