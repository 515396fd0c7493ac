import { describeInstance, label } from "@ctrlplane/core/provider";
import type {
  InstancePage,
  ListSelector,
  ObservedInstance,
  ProviderContext,
  Replica,
  ReplicaStatus,
} from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { legacyOf, legacyOrdinal, legacyRevision, type Legacy } from "./adopted-replicas.ts";
import type { Adoptions, FoundAdoption } from "./adoption.ts";
import { alterationsOf } from "./alterations.ts";
import { differencesOf } from "./altered.ts";
import { inspect, isReplica, nameOf } from "./containers.ts";
import { describeFound } from "./describe-instance.ts";
import type { ContainerSummary } from "./engine-types.ts";
import { emptyRecord, type FoundInstance, type InstanceRecord } from "./instance-record.ts";
import type { InstanceRecords } from "./instance-records.ts";
import { dockerLabel } from "./labels.ts";
import { madeOf, type Difference } from "./made.ts";
import { ledgerAges } from "./ledger-age.ts";
import { sightOf } from "./lease-sight.ts";
import { isRetired } from "./names.ts";
import { listNetworks } from "./network.ts";
import { cutOff, isReachable } from "./reachable.ts";
import { rebuiltRecord } from "./rebuild-record.ts";
import { remainsOf } from "./remains.ts";
import { findVolumes } from "./volume-list.ts";
import { ownersOf, withData } from "./volumes.ts";

const inspectedAtOnce = 16;

/**
 * `Provider.list` in four calls, however many there are: records, containers, volumes, networks. With `refresh` one more for each replica, and one for
 * each of their images.
 */
export async function listInstances(
  parts: {
    readonly engine: EngineClient;
    readonly records: InstanceRecords;
    readonly adoptions: Adoptions;
    readonly publicHost: string;
  },
  { stack, names = [], cursor = "", limit = Infinity, refresh = false }: ListSelector,
  context: Pick<ProviderContext, "signal" | "fence">,
): Promise<InstancePage> {
  const { engine, records, adoptions, publicHost } = parts;
  const { signal } = context;
  const [found, containers, all, networks] = await Promise.all([
    // Names may be those of other stacks.
    names.length === 0 ? records.list(stack, signal) : records.listAll(names, context),
    // Also what is nobody's may bear a name that a plan asks for.
    engine.json<readonly ContainerSummary[]>({ method: "GET", path: "/containers/json", query: { all: true }, signal }),
    findVolumes(engine, [label.managedBy], signal),
    listNetworks(engine, signal),
  ]);
  const volumes = withData(all);
  const adopted = adoptions.seen(all);
  const isNamed = new Set(names);
  const recorded = new Map(found.map((each) => [each.name, each]));
  const ages = ledgerAges(all);
  const groups = groupByName(containers, names);
  const known = new Map(
    [...new Set([...recorded.keys(), ...groups.keys()])].flatMap((name): [string, Known][] => {
      const bearers = groups.get(name) ?? [];
      // Of a first release that failed only what is kept for its log.
      const left = bearers.some(isKept) ? bearers.filter(isKept) : bearers.filter(isReplica);
      const own = recorded.get(name) ?? rebuiltRecord(name, bearers, { ages });
      const seen = own ?? unrecorded(name, left, adopted.get(name));
      const isOurs = own !== undefined;
      const isAsked = name !== "" && (stack === undefined || seen.stack === stack || isNamed.has(name));
      return isAsked && (isOurs || left.length > 0) ? [[name, { seen, isOurs }]] : [];
    }),
  );
  sightOf(engine, context.fence).saw({ names, present: known, owners: ownersOf(volumes), stacks: ages.keys() });
  const rest = [...known].filter(([name]) => name > cursor).sort(([a], [b]) => (a < b ? -1 : 1));
  const page = rest.slice(0, limit);
  const views = page.map(([, { seen, isOurs }]) => {
    const bearers = groups.get(seen.name) ?? [];
    const record = isOurs ? seen.record : undefined;
    const legacy = legacyOf(seen.name, bearers, { adoption: adopted.get(seen.name), record });
    return viewOf(seen, isOurs, bearers.filter(isKept), legacy);
  });
  const inspected = refresh ? await inspectAll(engine, views, signal) : undefined;
  // Those of pctl 1.1 have no labels to be found by.
  const unlabelled = views.flatMap(({ legacy }) => legacy?.volumes ?? []);
  const volumeNames = new Set([...volumes.map((each) => each.Name), ...unlabelled]);
  const instances = views.map(({ seen, own, shown, legacy }): ObservedInstance => {
    const { record } = seen;
    const replicas = shown.map((each) =>
      legacy?.containers.includes(each) === true ? summarizeLegacy(each, seen) : summarize(each, record),
    );
    const plain = describeFound(publicHost, seen, volumes, own, legacy);
    const base = isReachable(record, own) ? plain : cutOff(plain);
    const look = { base, record, replicas, containers: own, volumes: volumeNames, networks };
    const altered = alterationsOf({ ...look, ...(inspected === undefined ? {} : { inspected }) });
    const whole = altered.length === 0 ? base : { ...base, altered };
    return describeInstance(whole, replicas, record.targets ?? {});
  });
  const last = page.at(-1);
  const present = new Map([...known].map(([name, { seen }]) => [name, seen]));
  const remains = cursor === "" ? remainsOf({ stack, volumes, adopted, present, containers }) : [];
  return {
    instances,
    ...(remains.length === 0 ? {} : { remains }),
    ...(last !== undefined && rest.length > page.length ? { cursor: last[0] } : {}),
  };
}

/** `isOurs`: it has a record, or its containers tell what would be in it. */
interface Known {
  readonly seen: FoundInstance;
  readonly isOurs: boolean;
}

interface View {
  readonly seen: FoundInstance;
  readonly own: readonly ContainerSummary[];
  /** Its replicas; of what is not ours all that bears the name. */
  readonly shown: readonly ContainerSummary[];
  readonly legacy: Legacy | undefined;
}

function viewOf(
  seen: FoundInstance,
  isOurs: boolean,
  own: readonly ContainerSummary[],
  legacy: Legacy | undefined,
): View {
  const lineage = seen.labels[label.lineage];
  return {
    seen,
    own,
    shown: own.filter(
      (each) =>
        !isOurs ||
        legacy?.containers.includes(each) === true ||
        (isReplica(each) && each.Labels?.[label.lineage] === lineage),
    ),
    legacy,
  };
}

function groupByName(
  containers: readonly ContainerSummary[],
  names: readonly string[],
): ReadonlyMap<string, readonly ContainerSummary[]> {
  const nameFor = (container: ContainerSummary): string =>
    container.Labels?.[label.service] ?? names.find((name) => isNamedAfter(nameOf(container), name)) ?? "";
  return Map.groupBy(containers, nameFor);
}

/** Not kept for its log alone. */
function isKept(container: ContainerSummary): boolean {
  return !isRetired(nameOf(container));
}

/** What each replica differs in from what it was made; a handful at a time. */
async function inspectAll(
  engine: EngineClient,
  views: readonly View[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Difference[]>> {
  const found = new Map<string, readonly Difference[]>();
  const left = views.flatMap(({ shown }) => shown.filter((each) => madeOf(each.Labels) !== undefined));
  const work = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const details = await inspect(engine, next.Id, signal);
      if (details !== undefined) found.set(next.Id, await differencesOf(engine, details, signal));
    }
  };
  await Promise.all(Array.from({ length: inspectedAtOnce }, work));
  return found;
}

/** `{name}`, or `{name}-{ordinal}`. */
function isNamedAfter(container: string, name: string): boolean {
  return container.startsWith(name) && /^(-\d+)?$/.test(container.slice(name.length));
}

/** What bears a name and has no record: made by others, by pctl 1.1, or its record was removed. */
function unrecorded(
  name: string,
  containers: readonly ContainerSummary[],
  adoption: FoundAdoption | undefined,
): FoundInstance {
  const labels = adoption?.labels ?? containers[0]?.Labels ?? {};
  const stack = labels[label.stack] ?? "";
  const service = stack !== "" && name.startsWith(`${stack}-`) ? name.slice(stack.length + 1) : name;
  return { name, stack, labels, record: emptyRecord({ service }) };
}

/** Of pctl 1.1, for which a container that ran was ready. */
function summarizeLegacy(container: ContainerSummary, { name, record }: FoundInstance): Replica {
  const seen = summarize(container, record);
  const { State, Status } = container;
  const state = State === "created" ? "exited" : stateOf(State, Status, true, record.stopped);
  return { ...seen, ...legacyRevision, ordinal: legacyOrdinal(seen.name, name), state };
}

/** A replica by what the list of containers tells of it. */
function summarize(container: ContainerSummary, { targets, stopped }: InstanceRecord): Replica {
  const { Id: id, Labels, Status, State } = container;
  const labels = Labels ?? {};
  const isRouted = (targets?.[id] ?? 0) > 0;
  return {
    id,
    name: nameOf(container),
    ordinal: Number(labels[label.ordinal] ?? "1"),
    replicaHash: labels[label.replicaHash] ?? "",
    generation: Number(labels[label.generation] ?? "0"),
    deployment: labels[dockerLabel.deployment] ?? "",
    state: stateOf(State, Status, isRouted || labels[dockerLabel.kind] === "job", stopped),
    routed: isRouted,
    restarts: 0,
  };
}

function stateOf(
  state: ContainerSummary["State"],
  text: string,
  hasPassed: boolean,
  stopped: boolean,
): ReplicaStatus["state"] {
  if (state === "created") return stopped ? "stopped" : "starting";
  if (state === "paused") return "unhealthy";
  if (state !== "running") return stopped ? "stopped" : "exited";
  if (text.endsWith("(unhealthy)")) return "unhealthy";
  if (text.endsWith("(healthy)")) return "ready";
  if (text.endsWith("(health: starting)")) return "starting";
  return hasPassed ? "ready" : "starting";
}
