import { CtrlPlaneError, isCtrlPlaneError, type ReplicaEnd } from "@ctrlplane/core/provider";
import { layout, socketPath } from "../layout.ts";
import { measureUsage } from "../process/usage.ts";
import { callJson } from "../protocol/client.ts";
import { launchSupervisor } from "./launch.ts";
import type {
  LocalReplica,
  ReadOptions,
  SupervisorClient,
  SupervisorClientOptions,
  SupervisorStatus,
  WriteOptions,
} from "./operations.ts";
import { readReplica, readReplicas, readRouted } from "./read.ts";
import { codeVersion } from "./version.ts";
import { join } from "node:path";

export * from "./operations.ts";
export * from "./read.ts";
export * from "./records.ts";

/** How often a call is made again because the supervisor went away under it. */
const attempts = 5;

/** Talks to the supervisor of a data folder, and starts it where it is needed and allowed. */
export function supervisorClient(options: SupervisorClientOptions): SupervisorClient {
  const { dir } = options;
  const connection = new Connection(options);
  const change = (operation: string, body: object, { fence, signal }: WriteOptions): Promise<unknown> =>
    connection.call(operation, { ...body, fence }, { signal });

  return {
    warmUp: () => connection.warmUp(),
    async create(request, call) {
      await change("create", { request }, call);
      return found(dir, request.replica.id);
    },
    start: async (id, call) => void (await change("start", { id }, call)),
    waitReady: async (id, { timeoutMs }, call) => void (await connection.call("waitReady", { id, timeoutMs }, call)),
    outlive: async (id, ms, call) => void (await connection.call("outlive", { id, ms }, call)),
    // The server answers so.
    waitEnd: async (id, call) => (await connection.call("waitEnd", { id }, call)) as ReplicaEnd,
    stop: async (id, { signal, graceMs }, call) => void (await change("stop", { id, signal, graceMs }, call)),
    remove: async (id, call) => void (await change("remove", { id }, call)),
    route: async (instance, set, call) => void (await change("route", { instance, set }, call)),
    routed: async (instance) => readRouted(dir, instance),
    drain: async (id, { timeoutMs }, call) => void (await change("drain", { id, timeoutMs }, call)),
    configure: async (id, policy, call) => void (await change("configure", { id, policy }, call)),
    settle: async (instance, settled, call) => void (await change("settle", { instance, settled }, call)),
    markStopped: async (instance, stopped, call) => void (await change("markStopped", { instance, stopped }, call)),
    schedule: async (instance, request, call) => void (await change("schedule", { instance, request }, call)),
    list: async (instance) => readReplicas(dir, instance),
    usage: async (ids, call) => {
      const wanted = new Set(ids);
      return measureUsage(
        readReplicas(dir).filter((replica) => wanted.has(replica.id)),
        call.signal,
      );
    },
    status: () => connection.status(),
    shutdown: async (request, call) => void (await connection.callRunning("shutdown", request, call)),
  };
}

function found(dir: string, id: string): LocalReplica {
  const replica = readReplica(join(layout(dir).replicas, id));
  if (replica === undefined)
    throw new CtrlPlaneError("NOT_FOUND", `replica ${id} was removed meanwhile`, { target: id });
  return replica;
}

/** Calls of one process to the supervisor of one folder. */
class Connection {
  readonly #options: SupervisorClientOptions;
  readonly #socket: string;
  /** Settled once the supervisor that runs is known to be of this version. */
  #current: Promise<void> | undefined;

  constructor(options: SupervisorClientOptions) {
    this.#options = options;
    this.#socket = socketPath(options.dir, "supervisor");
  }

  /** Every operation may be made again, so one that lost its supervisor is, with the next one. */
  async call(operation: string, body: object, { signal }: ReadOptions): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (this.#options.start === "on-demand") await (this.#current ??= this.#ensure());
        return await callJson(this.#socket, operation, body, { signal });
      } catch (error) {
        if (!isGone(error) || this.#options.start === "never" || attempt === attempts) throw error;
        this.#current = undefined;
      }
    }
  }

  warmUp(): void {
    if (this.#options.start === "never") return;
    this.#current ??= this.#ensure();
    // The first call tries again, and throws what it meets.
    this.#current.catch(() => undefined);
  }

  /** As `call`, where a supervisor runs; else nothing. */
  async callRunning(operation: string, body: object, { signal }: ReadOptions): Promise<unknown> {
    try {
      return await callJson(this.#socket, operation, body, { signal });
    } catch (error) {
      if (!isGone(error)) throw error;
      return undefined;
    }
  }

  async status(): Promise<SupervisorStatus | undefined> {
    // The server answers so.
    return (await this.callRunning("status", {}, {})) as SupervisorStatus | undefined;
  }

  /** A supervisor of this version of the code runs. */
  async #ensure(): Promise<void> {
    try {
      const status = await this.status();
      if (status?.version === codeVersion()) return;
      if (status !== undefined) await this.callRunning("handOver", {}, {});
      await launchSupervisor(this.#options);
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  return isCtrlPlaneError(error) && error.code === "UNAVAILABLE" && error.retryable;
}
