import type { Replica, ReplicaEnd, ReplicaUsage, SettledRelease } from "@ctrlplane/core/provider";
import type { ScheduleRequest } from "../schedule/records.ts";
import type { InstanceDescription, ReplicaPolicy, ReplicaRecord, RouteSet, RunEnd } from "./records.ts";

/** Goes with every change; an epoch lower than the highest seen for the stack is refused with `CONFLICT`. */
export interface FenceToken {
  readonly stack: string;
  readonly epoch: number;
}

/** A replica as it is. */
export interface LocalReplica extends Replica {
  readonly record: ReplicaRecord;
  /** The process, while it lives. */
  readonly pid?: number;
  /** How the last run ended. */
  readonly lastEnd?: RunEnd;
}

export interface CreateReplica {
  /** `ports` without numbers: the supervisor chooses them. */
  readonly replica: Omit<ReplicaRecord, "cwd" | "ports" | "desired" | "createdAt"> & {
    readonly ports: readonly {
      readonly containerPort: number;
      readonly protocol: ReplicaRecord["ports"][number]["protocol"];
    }[];
  };
  /** Whole environment, apart from `PORT`, `PORT_<containerPort>` and the inherited names. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder whose content becomes the working folder; absolute. Absent: an empty one. */
  readonly workFrom?: { readonly tree: string };
  /** Symbolic links in the working folder: `path` relative to it, `target` absolute. What lies at `path` is replaced. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Written as the instance's record where it has none yet. */
  readonly instance: InstanceDescription;
}

export interface SupervisorStatus {
  readonly pid: number;
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly replicas: { readonly total: number; readonly running: number };
  /** Pid of the gateway, where one runs. */
  readonly gatewayPid?: number;
}

export interface WriteOptions {
  readonly fence: FenceToken;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the provider asks of the supervisor of its data folder. The promises are those of `ReplicaDriver`: every method
 * is idempotent, and returns when its effect is true. Where the supervisor dies during a call, it is started
 * again and the call repeated.
 */
export interface SupervisorClient {
  /** Starts the supervisor, where it may be started, while the caller does other work. What goes wrong is told by the first call. */
  warmUp(): void;
  /** Working folder, ports and sealed environment are there. An id that exists is returned as it is. */
  create(request: CreateReplica, options: WriteOptions): Promise<LocalReplica>;
  /** Returns when its process runs; not when it is ready. Throws `FAILED` `COMMAND_NOT_FOUND`. */
  start(id: string, options: WriteOptions): Promise<void>;
  /** Throws `FAILED` with verdict as soon as it cannot become ready, at the latest after `timeoutMs`. */
  waitReady(id: string, request: { readonly timeoutMs: number }, options: ReadOptions): Promise<void>;
  /** Resolves when it has been ready for `ms` without a break; throws `FAILED` as soon as it is not. */
  outlive(id: string, ms: number, options: ReadOptions): Promise<void>;
  /** Resolves with how a job ended; at once where it does not run. */
  waitEnd(id: string, options: ReadOptions): Promise<ReplicaEnd>;
  stop(
    id: string,
    request: { readonly signal: string; readonly graceMs: number },
    options: WriteOptions,
  ): Promise<void>;
  remove(id: string, options: WriteOptions): Promise<void>;
  /** Exactly this is routed. Throws `FAILED` `PORT_IN_USE`, and then what was routed before still is. `undefined`: its ports are closed. */
  route(instance: string, set: RouteSet | undefined, options: WriteOptions): Promise<void>;
  /** Replica id → percent. */
  routed(instance: string): Promise<Readonly<Record<string, number>>>;
  drain(id: string, request: { readonly timeoutMs: number }, options: WriteOptions): Promise<void>;
  configure(id: string, policy: ReplicaPolicy, options: WriteOptions): Promise<void>;
  /** Writes the instance's record and clears `stopped`; without `settled`, and where no replica of it is left, forgets it. */
  settle(instance: InstanceDescription, settled: SettledRelease | undefined, options: WriteOptions): Promise<void>;
  /** No effect where there is no record of the instance. */
  markStopped(instance: string, stopped: boolean, options: WriteOptions): Promise<void>;
  /** Exactly this is run by a schedule; undefined: nothing is begun any more. Returns when it is on the disk. */
  schedule(instance: string, request: ScheduleRequest | undefined, options: WriteOptions): Promise<void>;
  /** Oldest first. Read from files: needs no supervisor and starts none. */
  list(instance?: string): Promise<readonly LocalReplica[]>;
  /** Measured over about 200 ms; ids that do not run are left out. Needs no supervisor. `replica` is the name. */
  usage(ids: readonly string[], options: ReadOptions): Promise<readonly ReplicaUsage[]>;
  /** Undefined where no supervisor runs. Starts none. */
  status(): Promise<SupervisorStatus | undefined>;
  /**
   * Supervisor and gateway end; nothing happens where none runs. With `stopServices` every replica is stopped first, and
   * starts again with the next supervisor; without it, replicas and gateway live on.
   */
  shutdown(request: { readonly stopServices: boolean }, options: ReadOptions): Promise<void>;
}

export interface SupervisorClientOptions {
  /** Data folder, absolute. */
  readonly dir: string;
  /** Environment of this process; the supervisor gets the inherited names of it (`inheritedNames`) and nothing else. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a supervisor that is started here stays without anything to look after. Default 60 s. */
  readonly idleMs?: number;
  /** `never`: what needs a supervisor throws `UNAVAILABLE` where none runs. */
  readonly start: "on-demand" | "never";
}
