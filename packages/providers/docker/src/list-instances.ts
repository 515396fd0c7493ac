import { describeInstance, label } from "@ctrlplane/core/provider";
import type { InstancePage, ListSelector, Replica, ReplicaStatus } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { isReplica, nameOf } from "./containers.ts";
import { describeFound } from "./describe-instance.ts";
import type { ContainerSummary } from "./engine-types.ts";
import type { InstanceRecord, InstanceRecords } from "./instance-records.ts";
import { dockerLabel, labelled } from "./labels.ts";
import { isRetired } from "./names.ts";
import { listVolumes } from "./volumes.ts";

/** `Provider.list` in three calls, however many there are: records, containers, volumes. */
export async function listInstances(
  parts: { readonly engine: EngineClient; readonly records: InstanceRecords; readonly publicHost: string },
  { stack, names = [], cursor = "", limit = 500 }: ListSelector,
  signal: AbortSignal,
): Promise<InstancePage> {
  const { engine, records, publicHost } = parts;
  const filters = labelled(label.service);
  const [found, containers, volumes] = await Promise.all([
    // Names may be those of other stacks.
    records.list(names.length === 0 ? stack : undefined, signal),
    engine.json<readonly ContainerSummary[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters },
      signal,
    }),
    listVolumes(engine, undefined, signal),
  ]);
  const rest = found.filter(
    (each) => (stack === undefined || each.stack === stack || names.includes(each.name)) && each.name > cursor,
  );
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const groups = Map.groupBy(
    containers.filter((each) => isReplica(each) && !isRetired(nameOf(each))),
    (each) => each.Labels?.[label.service] ?? "",
  );
  const instances = page.map((each) => {
    const replicas = (groups.get(each.name) ?? []).map((container) => summarize(container, each.record));
    return describeInstance(describeFound(publicHost, each, volumes), replicas, each.record.targets ?? {});
  });
  return last !== undefined && rest.length > page.length ? { instances, cursor: last.name } : { instances };
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
