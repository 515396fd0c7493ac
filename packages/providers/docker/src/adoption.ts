import { instanceLabels, label, managedBy, replicaName } from "@ctrlplane/core/provider";
import type { AdoptedLayout, AdoptRequest, InstanceIdentity, Labels, ProviderContext } from "@ctrlplane/core/provider";
import { segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { findContainers, nameOf } from "./containers.ts";
import type { ContainerSummary } from "./engine-types.ts";
import { requireOurs } from "./require-ours.ts";
import { VolumeRecords, withoutRecordLabels, type RecordCall, type StoredRecord } from "./volume-records.ts";
import type { VolumeAnswer } from "./volume-list.ts";

/** What pctl 1.1 made of an instance and is ours now. Its labels can never be changed: this stands for them. */
export interface Adoption {
  readonly v: 1;
  /** Ids of containers that no settled release has replaced yet. */
  readonly containers: readonly string[];
  /** Those that ran when they were taken over. */
  readonly running: readonly string[];
  /** Names of its volumes, which have no labels at all. */
  readonly volumes: readonly string[];
  /** Absent where it has no volumes. */
  readonly layout?: AdoptedLayout;
  /** How many 1.1 ran at its last scale; absent in what earlier versions wrote. */
  readonly replicas?: number;
  /** The image that 1.1 built for these containers. */
  readonly image?: string;
}

export interface FoundAdoption extends Adoption {
  readonly labels: Labels;
  /** What it said before is still there, too, until the next `write`. */
  readonly isDoubled: boolean;
}

/** Adoptions of one engine. They are read whole with each `list`, and remembered: no two commands change one stack at a time. */
export function adoptionsOf(engine: EngineClient) {
  const records = new VolumeRecords(engine, "adopted");
  let known: Promise<Map<string, FoundAdoption>> | undefined;
  const load = async (signal: AbortSignal): Promise<Map<string, FoundAdoption>> => {
    const own = (known ??= records.list([], signal).then(parseAll));
    own.catch(() => (known = undefined));
    return own;
  };

  return {
    async read({ name }: Pick<InstanceIdentity, "name">, signal: AbortSignal): Promise<FoundAdoption | undefined> {
      return (await load(signal)).get(name);
    },

    /** Takes the place of what is remembered. `volumes`: all of ours, records among them. */
    seen(volumes: readonly VolumeAnswer[]): ReadonlyMap<string, FoundAdoption> {
      const found = parseAll(records.among(volumes));
      known = Promise.resolve(found);
      return found;
    },

    /** Without containers and volumes it goes. */
    async write(instance: InstanceIdentity, adoption: Adoption, context: ProviderContext): Promise<void> {
      const { name } = instance;
      const call: RecordCall = { signal: context.signal, check: () => context.fence.check() };
      const found = await records.read(name, context.signal);
      if (found !== undefined) requireOurs(instance, found.labels);
      const labels = instanceLabels(instance);
      if (adoption.containers.length + adoption.volumes.length === 0) await records.remove(name, undefined, call);
      else if (found === undefined) await records.create(name, JSON.stringify(adoption), labels, call);
      else await records.swap(name, JSON.stringify(adoption), found.version, labels, call);
      known = undefined;
    },
  };
}

export type Adoptions = ReturnType<typeof adoptionsOf>;

function parseAll(found: readonly StoredRecord[]): Map<string, FoundAdoption> {
  // Written by `write` alone.
  return new Map(
    found.map(({ name, value, labels, isDoubled = false }) => [
      name,
      { ...(JSON.parse(value) as Adoption), labels: withoutRecordLabels(labels), isDoubled },
    ]),
  );
}

/** True for a container that pctl 1.1 made, whoever's it is by now: its three labels, and none of ours. */
export function isLegacy({ Labels }: Pick<ContainerSummary, "Labels">): boolean {
  return (
    Labels?.[label.managedBy] === managedBy &&
    Labels[label.service] !== undefined &&
    Labels[label.lineage] === undefined &&
    Labels[label.role] === undefined &&
    Labels[label.replicaHash] === undefined
  );
}

/** Volumes that 1.1 gave a container: named after it, mounted at every path. */
export function legacyVolumes(container: ContainerSummary): readonly string[] {
  return container.Mounts.flatMap(({ Name }) => (Name === `${plainName(nameOf(container))}-storage` ? [Name] : []));
}

/** `Provider.adopt`: writes down what of 1.1 is the instance's own. What is written down already stays. */
export async function adopt(
  engine: EngineClient,
  adoptions: Adoptions,
  { instance, replicas, builtImage }: AdoptRequest,
  context: ProviderContext,
): Promise<void> {
  const all = await findContainers(engine, instance.name, context.signal);
  const before = await adoptions.read(instance, context.signal);
  const legacy = all.filter((each) => isLegacy(each) && each.Labels?.[label.stack] === instance.stack);
  const count = replicas ?? countOf(instance.name, legacy);
  const volumes = new Set([...(before?.volumes ?? []), ...legacy.flatMap(legacyVolumes)]);
  for (let ordinal = 1; ordinal <= Math.max(1, count); ordinal += 1) {
    const name = `${replicaName(instance.name, ordinal, count)}-storage`;
    if (await isUnlabelled(engine, name, context.signal)) volumes.add(name);
  }
  const layout = before?.layout ?? (volumes.size === 0 ? undefined : { first: replicaName(instance.name, 1, count) });
  const image = builtImage ?? before?.image ?? legacy.find((each) => /^pctl-local:\d+$/.test(each.Image))?.Image;
  await adoptions.write(
    instance,
    {
      v: 1,
      containers: legacy.map((each) => each.Id),
      running: legacy.filter((each) => ranBefore(each, before)).map((each) => each.Id),
      replicas: count,
      volumes: [...volumes].sort(),
      ...(layout === undefined ? {} : { layout }),
      ...(image === undefined ? {} : { image }),
    },
    context,
  );
}

/** Of a takeover that goes on, some wait stopped already. */
function ranBefore({ Id, State }: ContainerSummary, before: Adoption | undefined): boolean {
  return before?.containers.includes(Id) === true ? before.running.includes(Id) : State === "running";
}

/** How the volumes of these containers are laid out; undefined where they have none. */
export function legacyLayout(
  name: string,
  legacy: readonly ContainerSummary[],
  volumes: readonly string[],
): AdoptedLayout | undefined {
  return volumes.length === 0 ? undefined : { first: replicaName(name, 1, countOf(name, legacy)) };
}

/** By the newest container: scaling with 1.1 left older ones under their other names. */
function countOf(name: string, legacy: readonly ContainerSummary[]): number {
  const newest = legacy.toSorted((a, b) => b.Created - a.Created)[0];
  if (newest === undefined || plainName(nameOf(newest)) === name) return 1;
  return Math.max(2, legacy.length);
}

/** A volume that exists and is nobody's by its labels: 1.1 gave its own none. */
async function isUnlabelled(engine: EngineClient, name: string, signal: AbortSignal): Promise<boolean> {
  const path = `/volumes/${segment(name)}`;
  const found = await unlessMissing(engine.json<VolumeAnswer>({ method: "GET", path, signal }));
  return found !== undefined && Object.keys(found.Labels ?? {}).length === 0;
}

/** Without what it is called while it is stopped for its successor. */
export function plainName(name: string): string {
  return name.replace(/\.old-[0-9a-f]{8}$/, "");
}
