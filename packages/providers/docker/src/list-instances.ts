import { describeInstance, label } from "@ctrlplane/core/provider";
import type { InstancePage, ListSelector, Replica, ReplicaStatus } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { isReplica, nameOf } from "./containers.ts";
import { describeFound } from "./describe-instance.ts";
import type { ContainerSummary } from "./engine-types.ts";
import type { FoundInstance, InstanceRecord, InstanceRecords } from "./instance-records.ts";
import { dockerLabel } from "./labels.ts";
import { isRetired } from "./names.ts";
import { downUnless, isReachable, withoutPorts } from "./reachable.ts";
import { listVolumes } from "./volumes.ts";

/** `Provider.list` in three calls, however many there are: records, containers, volumes. */
export async function listInstances(
  parts: { readonly engine: EngineClient; readonly records: InstanceRecords; readonly publicHost: string },
  { stack, names = [], cursor = "", limit = 500 }: ListSelector,
  signal: AbortSignal,
): Promise<InstancePage> {
  const { engine, records, publicHost } = parts;
  const [found, containers, volumes] = await Promise.all([
    // Names may be those of other stacks.
    records.list(names.length === 0 ? stack : undefined, signal),
    // Also what is nobody's may bear a name that a plan asks for.
    engine.json<readonly ContainerSummary[]>({ method: "GET", path: "/containers/json", query: { all: true }, signal }),
    listVolumes(engine, undefined, signal),
  ]);
  const known = new Map(found.map((each) => [each.name, each]));
  const groups = Map.groupBy(
    containers.filter((each) => !isRetired(nameOf(each))),
    (each) => each.Labels?.[label.service] ?? names.find((name) => isNamedAfter(nameOf(each), name)) ?? "",
  );
  const isAsked = (name: string, itsStack: string | undefined): boolean =>
    name !== "" && (stack === undefined || itsStack === stack || names.includes(name));
  const asked = [...new Set([...known.keys(), ...groups.keys()])].filter((name) =>
    isAsked(name, known.get(name)?.stack ?? groups.get(name)?.[0]?.Labels?.[label.stack]),
  );
  const rest = asked.filter((name) => name > cursor).sort();
  const page = rest.slice(0, limit);
  const instances = page.map((name) => {
    const own = groups.get(name) ?? [];
    const seen = known.get(name) ?? unrecorded(name, own);
    const replicas = own
      .filter((each) => isReplica(each) || !known.has(name))
      .map((each) => summarize(each, seen.record));
    const isServed = isReachable(seen.record, own);
    const base = describeFound(publicHost, seen, volumes);
    const targets = seen.record.targets ?? {};
    return downUnless(isServed, describeInstance(isServed ? base : withoutPorts(base), replicas, targets));
  });
  const last = page.at(-1);
  return last !== undefined && rest.length > page.length ? { instances, cursor: last } : { instances };
}

/** `{name}`, or `{name}-{ordinal}`. */
function isNamedAfter(container: string, name: string): boolean {
  return container.startsWith(name) && /^(-\d+)?$/.test(container.slice(name.length));
}

/** What bears a name and has no record: made by others, by pctl 1.1, or its record was removed. */
function unrecorded(name: string, containers: readonly ContainerSummary[]): FoundInstance {
  const labels = containers[0]?.Labels ?? {};
  const stack = labels[label.stack] ?? "";
  const service = stack !== "" && name.startsWith(`${stack}-`) ? name.slice(stack.length + 1) : name;
  return { name, stack, labels, record: { v: 1, service, stopped: false, ports: [] } };
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
