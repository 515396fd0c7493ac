import { label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Replica, ReplicaStatus } from "@ctrlplane/core/provider";
import { segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import type { ContainerDetails, ContainerSummary } from "./engine-types.ts";
import { alteredAmong } from "./altered.ts";
import { dockerLabel, labelled } from "./labels.ts";
import { isRetired } from "./names.ts";

/** What is known beside the container itself. */
export interface Judgement {
  /** Percent by container id, as last decided. */
  readonly targets: Readonly<Record<string, number>>;
  /** `stop` was asked for. */
  readonly stopped: boolean;
  /** Whether this start of it passed its gate. */
  hasPassed(id: string, startedAt: string): boolean;
}

/** The replicas among the containers of an instance, oldest first, without those that are kept for their logs alone. */
export async function replicasAmong(
  engine: EngineClient,
  found: readonly ContainerSummary[],
  instance: Pick<InstanceIdentity, "lineage">,
  judgement: Judgement,
  signal: AbortSignal,
): Promise<readonly Replica[]> {
  const isOurs = ({ Labels }: ContainerSummary): boolean => Labels?.[label.lineage] === instance.lineage;
  const replicas = found.filter((each) => isReplica(each) && !isRetired(nameOf(each)) && isOurs(each));
  const details = await Promise.all(replicas.map((each) => inspect(engine, each.Id, signal)));
  const known = details
    .flatMap((each) => each ?? [])
    .sort((a, b) => compare(a.Created, b.Created) || compare(a.Id, b.Id));
  const isAltered = await alteredAmong(engine, known, signal);
  return known.map((each) => ({
    ...describe(each, judgement),
    ...(isAltered.has(each.Id) ? { isAltered: true } : {}),
  }));
}

/** Every container with the label of this instance, whatever its role. */
export async function findContainers(
  engine: EngineClient,
  name: string,
  signal: AbortSignal,
): Promise<readonly ContainerSummary[]> {
  const filters = labelled([label.service, name]);
  return engine.json({ method: "GET", path: "/containers/json", query: { all: true, filters }, signal });
}

export function inspect(engine: EngineClient, id: string, signal: AbortSignal): Promise<ContainerDetails | undefined> {
  return unlessMissing(engine.json({ method: "GET", path: `/containers/${segment(id)}/json`, signal }));
}

export function nameOf({ Names }: Pick<ContainerSummary, "Names">): string {
  return (Names[0] ?? "").slice(1);
}

/** Gateways and what runs once have a role; what pctl 1.1 made has neither replica hash nor lineage. */
export function isReplica({ Labels }: Pick<ContainerSummary, "Labels">): boolean {
  const isOurs = Labels?.[label.replicaHash] !== undefined || Labels?.[label.lineage] !== undefined;
  return isOurs && Labels[label.role] === undefined;
}

export function describe(details: ContainerDetails, judgement: Judgement): Replica {
  const { Id: id, Name, State, RestartCount, Config } = details;
  const labels = Config.Labels ?? {};
  const state = stateOf(details, judgement);
  // To the engine, one that it is about to start again is running.
  const isUp = State.Status === "running" || State.Status === "paused";
  const hasEnded = !isUp && State.Status !== "created";
  return {
    id,
    name: Name.slice(1),
    ordinal: Number(labels[label.ordinal] ?? "1"),
    replicaHash: labels[label.replicaHash] ?? "",
    generation: Number(labels[label.generation] ?? "0"),
    deployment: labels[dockerLabel.deployment] ?? "",
    state,
    routed: (judgement.targets[id] ?? 0) > 0,
    restarts: RestartCount,
    ...(wasStarted(State) ? {} : { isUnstarted: true }),
    ...(isUp ? { startedAt: State.StartedAt } : {}),
    ...(state === "ready" ? { readyForMs: Math.max(0, Date.now() - Date.parse(readySince(details))) } : {}),
    ...(hasEnded ? endOf(State) : {}),
  };
}

/** Of one that an engine was killed over as it started it, the next engine may say that it runs, and has no start of it. */
export function wasStarted({ Status, StartedAt }: Pick<ContainerDetails["State"], "Status" | "StartedAt">): boolean {
  return Status !== "created" && !StartedAt.startsWith("0001-");
}

/**
 * One that ends by itself is started again by the engine: it stays down where somebody stopped it, or the engine itself, which stops
 * what it finds running after it was killed.
 */
export function wasStopped({ State, HostConfig }: Pick<ContainerDetails, "State" | "HostConfig">): boolean {
  const isKeptUp = /^(?:always|unless-stopped)$/.test(HostConfig.RestartPolicy.Name);
  return State.Status === "exited" && isKeptUp && State.Error === "";
}

function stateOf({ Id, State, HostConfig, Config }: ContainerDetails, judgement: Judgement): ReplicaStatus["state"] {
  switch (State.Status) {
    case "created":
      return judgement.stopped ? "stopped" : "starting";
    case "running":
      if (!wasStarted(State)) return "starting";
      return runningState(State.Health?.Status, () => {
        const isJob = Config.Labels?.[dockerLabel.kind] === "job";
        return isJob || (judgement.targets[Id] ?? 0) > 0 || judgement.hasPassed(Id, State.StartedAt);
      });
    case "paused":
      return "unhealthy";
    case "exited":
      return judgement.stopped || wasStopped({ State, HostConfig }) ? "stopped" : "exited";
    default:
      return "exited";
  }
}

function runningState(
  health: "none" | "starting" | "healthy" | "unhealthy" | undefined,
  hasPassed: () => boolean,
): ReplicaStatus["state"] {
  if (health === "healthy") return "ready";
  if (health === "starting" || health === "unhealthy") return health;
  return hasPassed() ? "ready" : "starting";
}

/** Its last probe that failed, else its start. */
function readySince({ State }: ContainerDetails): string {
  const failed = State.Health?.Log?.findLast((each) => each.ExitCode !== 0);
  return failed === undefined ? State.StartedAt : failed.End;
}

/** The engine tells 128 + n for a program that signal n ended. */
function endOf({ ExitCode, Error: message }: ContainerDetails["State"]): Pick<Replica, "exitCode" | "signal"> {
  return { exitCode: message === "" || ExitCode !== 0 ? ExitCode : null, signal: null };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
