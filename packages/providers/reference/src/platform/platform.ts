import { EventEmitter } from "node:events";
import { CtrlPlaneError, label, type InstanceIdentity, type Replica } from "@ctrlplane/core/provider";
import type { InstanceRecord, PlatformState, ReplicaRecord } from "../protocol.ts";
import { phaseOf } from "./behaviour.ts";

/** The state and the news of it: `change` whenever something on the platform was changed. */
export interface Platform {
  readonly state: PlatformState;
  /** Ids of the replicas in the state, by their instance. */
  readonly replicasByInstance: Map<string, Set<string>>;
  readonly news: EventEmitter<{ change: [] }>;
  /** What is waited for with `outlive` takes so much of its time: 1, or less in tests. */
  readonly pace: number;
}

export function emptyPlatform(platformId: string, pace?: number): Platform {
  const state: PlatformState = {
    platformId,
    instances: {},
    replicas: {},
    archive: [],
    volumes: {},
    ledger: {},
    epochs: {},
    tags: {},
    images: {},
    writes: [],
    made: 0,
  };
  return platformOf(state, pace);
}

export function platformOf(state: PlatformState, pace = 1): Platform {
  const news = new EventEmitter<{ change: [] }>();
  // One listener for each waiting call.
  news.setMaxListeners(0);
  const platform: Platform = { state, replicasByInstance: new Map(), news, pace };
  for (const each of Object.values(state.replicas)) keepReplica(platform, each);
  return platform;
}

export function keepReplica({ state, replicasByInstance }: Platform, record: ReplicaRecord): void {
  state.replicas[record.id] = record;
  const ids = replicasByInstance.get(record.instance) ?? new Set();
  replicasByInstance.set(record.instance, ids.add(record.id));
}

export function dropReplica({ state, replicasByInstance }: Platform, { id, instance }: ReplicaRecord): void {
  Reflect.deleteProperty(state.replicas, id);
  replicasByInstance.get(instance)?.delete(id);
}

export function replicasOf({ state, replicasByInstance }: Platform, instance: string): readonly ReplicaRecord[] {
  return [...(replicasByInstance.get(instance) ?? [])].flatMap((id) => state.replicas[id] ?? []);
}

export function viewReplica({ state }: Platform, record: ReplicaRecord): Replica {
  const phase = phaseOf(record, Date.now());
  return {
    id: record.id,
    name: record.name,
    ordinal: record.ordinal,
    replicaHash: record.replicaHash,
    generation: record.generation,
    deployment: record.deployment,
    state: phase.state,
    routed: record.id in (state.instances[record.instance]?.route?.targets ?? {}),
    restarts: Math.max(0, record.starts - 1),
    ...(record.startedAt === undefined ? {} : { startedAt: new Date(record.startedAt).toISOString() }),
    ...(phase.exitCode === undefined ? {} : { exitCode: phase.exitCode }),
    ...(phase.readyForMs === undefined ? {} : { readyForMs: phase.readyForMs }),
  };
}

/** The instance's own record. Throws `CONFLICT` where what has its name is not its own. */
export function ownInstance({ state }: Platform, identity: InstanceIdentity): InstanceRecord | undefined {
  const found = state.instances[identity.name];
  if (found === undefined) return undefined;
  const lineage = found.labels[label.lineage];
  if (found.labels[label.service] === identity.name && lineage === identity.lineage) return found;
  throw new CtrlPlaneError("CONFLICT", `${identity.name} exists and belongs to somebody else`, {
    target: identity.name,
    hint: "rename the service or the stack",
  });
}

/** What a look saw: the value that is waited for, or when to look again at the latest. */
export type Look<Value> = { readonly value: Value } | { readonly dueInMs?: number };

/** Resolves with the first value that `look` gives; looks again at every change and when it says that something is due. */
export async function waitFor<Value>(platform: Platform, signal: AbortSignal, look: () => Look<Value>): Promise<Value> {
  for (;;) {
    signal.throwIfAborted();
    const seen = look();
    if ("value" in seen) return seen.value;
    await nextNews(platform, signal, seen.dueInMs);
  }
}

function nextNews({ news }: Platform, signal: AbortSignal, dueInMs: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = dueInMs === undefined ? undefined : setTimeout(done, Math.max(1, Math.ceil(dueInMs)));
    function done(): void {
      clearTimeout(timer);
      news.off("change", done);
      signal.removeEventListener("abort", done);
      resolve();
    }
    news.once("change", done);
    signal.addEventListener("abort", done);
  });
}
