import { label, replicaName, revisionKey } from "@ctrlplane/core/provider";
import type { Alteration, InstanceBase, Replica } from "@ctrlplane/core/provider";
import { nameOf } from "./containers.ts";
import type { ContainerSummary } from "./engine-types.ts";
import { gatewayPorts } from "./gateway-ports.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { listedDifferences, madeOf, type Difference } from "./made.ts";
import { networkName } from "./names.ts";

/** What a look at an instance found: everything that `alterationsOf` judges. Plain data. */
export interface Look {
  readonly base: InstanceBase;
  readonly record: InstanceRecord;
  /** Its replicas, and their containers by id. */
  readonly replicas: readonly Replica[];
  readonly containers: readonly ContainerSummary[];
  /** Names of all volumes of ours. */
  readonly volumes: ReadonlySet<string>;
  /** Id by name, of all networks of ours. */
  readonly networks: ReadonlyMap<string, string>;
  /** By container, where each was inspected. */
  readonly inspected?: ReadonlyMap<string, readonly Difference[]>;
}

/** What of an instance is another than it was made, besides how many of its replicas are ready. Pure. */
export function alterationsOf(look: Look): readonly Alteration[] {
  const { settled, stopped } = look.base;
  if (settled === undefined || settled.completedAt !== undefined) return [];
  const current = look.replicas.filter((each) => revisionKey(each) === revisionKey(settled));
  return [
    ...lostVolumes(look),
    ...(stopped ? [] : [...lostNetwork(look, current), ...gateway(look, current), ...renamed(look, current)]),
    ...current.flatMap((each) => changed(look, each)),
  ];
}

function changed({ containers, inspected, networks, base }: Look, { id, name }: Replica): Alteration[] {
  const container = containers.find((each) => each.Id === id);
  const made = madeOf(container?.Labels ?? null);
  if (container === undefined || made === undefined) return [];
  const found = inspected?.get(id) ?? listedDifferences(made, container);
  // Told once, for the whole stack.
  const isNetworkGone = !networks.has(networkName(base));
  return found
    .filter(({ path }) => path !== "network" || !isNetworkGone)
    .map(({ path, before, after }) => ({ path, before: `${before} on ${name}`, after, cause: "drift" }));
}

function renamed({ base, containers }: Look, current: readonly Replica[]): Alteration[] {
  const total = base.settled === undefined ? 0 : countOf(base);
  return current.flatMap(({ id, name, ordinal }): Alteration[] => {
    const wanted = replicaName(base.name, ordinal, total);
    const isOurs = containers.some((each) => each.Id === id && madeOf(each.Labels) !== undefined);
    return !isOurs || name === wanted || ordinal > total
      ? []
      : [{ path: "name", before: name, after: wanted, cause: "drift" }];
  });
}

function countOf({ settled, wanted }: InstanceBase): number {
  const replicas = settled?.replicas ?? 0;
  return typeof replicas === "number" ? replicas : (wanted ?? replicas.max);
}

/** What a container mounts is there, whatever its labels. */
function lostVolumes({ record, volumes, containers }: Look): Alteration[] {
  const mounted = new Set(containers.flatMap((each) => each.Mounts.flatMap(({ Name }) => Name ?? [])));
  return (record.volumes ?? [])
    .filter((name) => !volumes.has(name) && !mounted.has(name))
    .map((name) => ({ path: "volumes", before: `${name} is gone`, after: `${name}, empty`, cause: "missing" }));
}

function lostNetwork({ base, networks }: Look, current: readonly Replica[]): Alteration[] {
  const name = networkName(base);
  if (networks.has(name) || current.length === 0) return [];
  return [{ path: "network", before: `${name} is gone`, after: name, cause: "missing" }];
}

/** Where no replica is asked directly, a gateway runs, in the network, and has every port of the host that it should. */
function gateway({ base, record, containers, networks }: Look, current: readonly Replica[]): Alteration[] {
  const made = current.flatMap(({ id }) => madeOf(containers.find((each) => each.Id === id)?.Labels ?? null) ?? []);
  const ports = gatewayPorts(record);
  const isWanted = ports.length > 0 && made.length > 0 && made.every((each) => !each.isDirect);
  if (!isWanted || record.targets === undefined) return [];
  const all = containers.filter((each) => each.Labels?.[label.role] === "gateway");
  const running = all.filter((each) => each.State === "running");
  const [first] = all;
  const wanted = `${base.name}-gateway runs`;
  if (first === undefined) return [{ path: "gateway", before: "gone", after: wanted, cause: "missing" }];
  if (running.length === 0)
    return [{ path: "gateway", before: `${nameOf(first)}: ${first.State}`, after: wanted, cause: "drift" }];
  const away = running.filter((each) => each.NetworkSettings?.Networks?.[networkName(base)] === undefined);
  const published = new Set(running.flatMap((each) => each.Ports.flatMap(({ PublicPort }) => PublicPort ?? [])));
  const unpublished = ports.flatMap(({ hostPort }) =>
    hostPort === undefined || published.has(hostPort) ? [] : [hostPort],
  );
  return [
    ...(networks.has(networkName(base)) ? away : []).map((each): Alteration => ({
      path: "network",
      before: `not in it on ${nameOf(each)}`,
      after: networkName(base),
      cause: "drift",
    })),
    ...unpublished.map((port): Alteration => ({
      path: "ports",
      before: `${port} is published by no gateway`,
      after: `${port} published`,
      cause: "missing",
    })),
  ];
}
