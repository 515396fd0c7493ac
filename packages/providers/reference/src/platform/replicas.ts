import {
  CtrlPlaneError,
  type InstanceIdentity,
  type Replica,
  type ReplicaEnd,
  type Verdict,
} from "@ctrlplane/core/provider";
import type { CreateArgs, ReplicaRecord } from "../protocol.ts";
import { behaviourOf, phaseOf, verdictOf, type Phase } from "./behaviour.ts";
import { ensureInstance, useVolume } from "./instances.ts";
import {
  dropReplica,
  keepReplica,
  ownInstance,
  replicasOf,
  viewReplica,
  waitFor,
  type Look,
  type Platform,
} from "./platform.ts";

export interface ReplicaArgs {
  readonly id: string;
}

export function listReplicas(
  platform: Platform,
  { instance }: { readonly instance: InstanceIdentity },
): readonly Replica[] {
  ownInstance(platform, instance);
  return replicasOf(platform, instance.name).map((each) => viewReplica(platform, each));
}

/** Made once for a deployment, a revision and an ordinal. */
export function createReplica(platform: Platform, args: CreateArgs): Replica {
  const { state } = platform;
  const behaviour = state.images[args.digest] ?? args.declared;
  if (behaviourOf(behaviour).kind === "badimage")
    throw failure("IMAGE_PULL", `image ${args.declared} cannot be had`, args.name);
  ensureInstance(platform, args.instance);
  const same = replicasOf(platform, args.instance.name).find(
    (each) =>
      each.deployment === args.deployment &&
      each.replicaHash === args.replicaHash &&
      each.generation === args.generation &&
      each.ordinal === args.ordinal,
  );
  if (same !== undefined) return viewReplica(platform, same);
  for (const name of args.volumes) useVolume(platform, name, args.instance.name);
  const { instance, declared: _declared, volumes: _volumes, ...rest } = args;
  const made = { ...rest, id: `r${(state.made += 1)}`, instance: instance.name, behaviour };
  const record: ReplicaRecord = { ...made, configuredBy: args.release, stopped: false, starts: 0, log: [] };
  keepReplica(platform, record);
  return viewReplica(platform, record);
}

export function startReplica({ state }: Platform, { id }: ReplicaArgs): void {
  const record = existing(state.replicas[id], id);
  const now = Date.now();
  const { state: phase } = phaseOf(record, now);
  if (phase !== "stopped" && phase !== "exited") return;
  if (record.once && phase === "exited") return;
  record.startedAt = now;
  record.stopped = false;
  delete record.brokenAt;
  record.starts += 1;
  record.log.push({ at: now, text: `${record.name} of release ${record.release} starts (${record.behaviour})` });
  const { kind, exitCode } = behaviourOf(record.behaviour);
  if (kind === "crash") record.log.push({ at: now, text: `Error: exits with ${exitCode}` });
}

export function waitReady(
  platform: Platform,
  args: ReplicaArgs & { readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<true> {
  const until = Date.now() + args.timeoutMs;
  return waitFor(platform, signal, () => {
    const record = existing(platform.state.replicas[args.id], args.id);
    const now = Date.now();
    const phase = phaseOf(record, now);
    if (phase.state === "ready") return { value: true };
    if (phase.state === "exited" || phase.state === "stopped" || now >= until) throw notReady(record, phase);
    return { dueInMs: Math.min(until - now, phase.changesInMs ?? Infinity) };
  });
}

export function outlive(
  platform: Platform,
  args: ReplicaArgs & { readonly ms: number },
  signal: AbortSignal,
): Promise<true> {
  return waitFor(platform, signal, () => {
    const record = existing(platform.state.replicas[args.id], args.id);
    const phase = phaseOf(record, Date.now());
    if (phase.state !== "ready" || phase.readyForMs === undefined) throw notReady(record, phase);
    const ms = args.ms * platform.pace;
    if (phase.readyForMs >= ms) return { value: true };
    return { dueInMs: Math.min(ms - phase.readyForMs, phase.changesInMs ?? Infinity) };
  });
}

/** How a job ended. */
export function waitEnd(platform: Platform, { id }: ReplicaArgs, signal: AbortSignal): Promise<ReplicaEnd> {
  return waitFor(platform, signal, (): Look<ReplicaEnd> => {
    const record = existing(platform.state.replicas[id], id);
    const phase = phaseOf(record, Date.now());
    if (phase.state !== "stopped" && phase.state !== "exited")
      return phase.changesInMs === undefined ? {} : { dueInMs: phase.changesInMs };
    if (record.startedAt === undefined) return { value: { state: "unstarted" } };
    const { kind, endsMs } = behaviourOf(record.behaviour);
    if (kind === "lost") return { value: { state: "unknown" } };
    if (phase.exitCode === 0)
      return { value: { state: "completed", at: new Date(record.startedAt + (endsMs ?? 0)).toISOString() } };
    const how = phase.exitCode === undefined ? "was stopped" : `ended with ${phase.exitCode}`;
    const detail = {
      verdict: "EXITED",
      replica: record.name,
      ...(phase.exitCode === undefined ? { signal: "SIGTERM" } : { exitCode: phase.exitCode }),
      starts: record.starts,
      logTail: record.log.slice(-20).map((each) => each.text),
    } as const;
    return { value: { state: "failed", message: `${record.name} ${how}`, failure: detail } };
  });
}

export function stopReplica({ state }: Platform, { id }: ReplicaArgs): void {
  const record = state.replicas[id];
  if (record === undefined || record.stopped) return;
  const { state: phase } = phaseOf(record, Date.now());
  if (phase !== "exited" && phase !== "stopped") record.log.push({ at: Date.now(), text: `${record.name} stops` });
  record.stopped = true;
}

export function removeReplica(platform: Platform, { id }: ReplicaArgs): void {
  const record = platform.state.replicas[id];
  if (record === undefined) return;
  const { state: phase } = phaseOf(record, Date.now());
  if (phase !== "stopped" && phase !== "exited") {
    throw new CtrlPlaneError("CONFLICT", `${record.name} runs`, { target: record.name, hint: "stop it first" });
  }
  platform.state.archive.push(record);
  dropReplica(platform, record);
}

export function configureReplica(
  { state }: Platform,
  { id, release }: ReplicaArgs & { readonly release: number },
): void {
  existing(state.replicas[id], id).configuredBy = release;
}

function notReady(record: ReplicaRecord, phase: Phase): CtrlPlaneError {
  const verdict = verdictOf(record, phase);
  const what = phase.state === "exited" ? `ended with ${phase.exitCode}` : `is ${phase.state}`;
  return failure(verdict, `${record.name} ${what} before it served`, record.name, record, phase);
}

function failure(
  verdict: Verdict,
  message: string,
  replica: string,
  record?: ReplicaRecord,
  phase?: Phase,
): CtrlPlaneError {
  return new CtrlPlaneError("FAILED", message, {
    target: replica,
    failure: {
      verdict,
      replica,
      ...(phase?.exitCode === undefined ? {} : { exitCode: phase.exitCode }),
      ...(record === undefined
        ? {}
        : { starts: record.starts, logTail: record.log.slice(-20).map((each) => each.text) }),
    },
  });
}

function existing(record: ReplicaRecord | undefined, id: string): ReplicaRecord {
  if (record !== undefined) return record;
  throw new CtrlPlaneError("NOT_FOUND", `there is no replica ${id}`, { target: id });
}
