import { readdirSync } from "node:fs";
import { join } from "node:path";
import { instanceFile, layout, replicaFiles } from "../layout.ts";
import { isAlive } from "../process/identity.ts";
import { isErrno, readJsonFile, readVolatileJson } from "../process/json-file.ts";
import type { LocalReplica } from "./operations.ts";
import type { ExitRecord, InstanceRecord, ReplicaRecord, ReplicaState, RunRecord } from "./records.ts";

export const freshState: ReplicaState = {
  run: 0,
  starts: 0,
  failedStarts: 0,
  restarts: 0,
  ready: false,
  unhealthy: false,
  hosts: {},
};

/** Every replica of the folder, or of one instance, oldest first. Reads files alone: no supervisor is needed. */
export function readReplicas(dir: string, instance?: string): readonly LocalReplica[] {
  const routed = new Map<string, Readonly<Record<string, number>>>();
  const routedOf = (name: string): Readonly<Record<string, number>> => {
    const known = routed.get(name) ?? readRouted(dir, name);
    routed.set(name, known);
    return known;
  };
  return namesIn(layout(dir).replicas)
    .filter((id) => instance === undefined || isNamedAfter(id, instance))
    .flatMap((id) => {
      const found = readReplica(join(layout(dir).replicas, id));
      return found === undefined || (instance !== undefined && found.record.instance !== instance) ? [] : [found];
    })
    .map((replica) => ({ ...replica, routed: (routedOf(replica.record.instance)[replica.id] ?? 0) > 0 }))
    .sort((a, b) => compare(a.record.createdAt, b.record.createdAt) || compare(a.id, b.id));
}

/** `{instance}.…`, or `{instance}-{ordinal}.…`: what cannot be one of its replicas is not opened. */
function isNamedAfter(id: string, instance: string): boolean {
  return id.startsWith(instance) && /^(-\d+)?\./.test(id.slice(instance.length));
}

/** The replica in a folder; undefined where none was completely made. Its `routed` is not known here and false. */
export function readReplica(folder: string): LocalReplica | undefined {
  const files = replicaFiles(folder);
  const record = readJsonFile<ReplicaRecord>(files.record);
  if (record === undefined) return undefined;
  const state = readVolatileJson<ReplicaState>(files.state) ?? freshState;
  const run = readVolatileJson<RunRecord>(files.run);
  const exit = readVolatileJson<ExitRecord>(files.exit);
  const alive = run !== undefined && exit?.run !== run.run && isAlive(run);
  const ready = alive && state.ready && state.run === run.run;
  const end = exit ?? state.lastEnd;
  return {
    id: record.id,
    name: record.name,
    ordinal: record.ordinal,
    replicaHash: record.replicaHash,
    generation: record.generation,
    deployment: record.deployment,
    state: stateOf(record, state, alive, ready),
    routed: false,
    restarts: state.restarts,
    record,
    ...(alive ? { pid: run.pid, startedAt: run.startedAt } : {}),
    ...(ready && state.readySince !== undefined ? { readyForMs: Math.max(0, Date.now() - state.readySince) } : {}),
    ...(alive || end === undefined ? {} : { exitCode: end.code, signal: end.signal }),
    ...(state.lastEnd === undefined ? {} : { lastEnd: state.lastEnd }),
  };
}

/** Replica id → percent, as it was last decided. */
export function readRouted(dir: string, instance: string): Readonly<Record<string, number>> {
  return readInstance(dir, instance)?.route?.targets ?? {};
}

export function readInstance(dir: string, name: string): InstanceRecord | undefined {
  return readJsonFile<InstanceRecord>(instanceFile(dir, name));
}

/** Every instance of the folder, by name. */
export function readInstances(dir: string): readonly InstanceRecord[] {
  return namesIn(layout(dir).instances).flatMap((name) => readInstance(dir, name) ?? []);
}

/** Names in a folder, sorted; none where there is no folder. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}

function stateOf(record: ReplicaRecord, state: ReplicaState, alive: boolean, ready: boolean): LocalReplica["state"] {
  if (record.desired !== "running") return alive ? "draining" : "stopped";
  if (!alive) return state.run === 0 ? "starting" : "exited";
  if (ready) return "ready";
  return state.unhealthy ? "unhealthy" : "starting";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
