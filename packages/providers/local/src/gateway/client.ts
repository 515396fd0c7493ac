import { socketPath } from "../layout.ts";
import { callJson } from "../protocol/client.ts";
import type { ProcessIdentity } from "../supervisor/records.ts";
import { withHolder } from "./port-error.ts";
import type { RouteTable } from "./routes.ts";
import type { TrafficCounts } from "./traffic.ts";

export type * from "./routes.ts";

/** Drives the gateway of one data folder over its socket. Errors are `CtrlPlaneError`. */
export interface GatewayClient {
  /**
   * All or nothing: returns when new connections and requests follow the table. Sockets that stay are never closed.
   * Connections in progress go on as they are; `drain` ends them.
   * @throws `FAILED` with verdict `PORT_IN_USE` and the holder where a port is taken; `INVALID` where the table contradicts
   * itself; `CONFLICT` where its version is lower than that of the table in force. Then the old table stays whole.
   */
  apply(table: RouteTable, options?: GatewayCallOptions): Promise<void>;
  /**
   * Waits until a replica that no table routes any more has answered what it was asked, closing idle connections to it at
   * once; whatever is left at the time limit is cut. 0 cuts at once. Unknown replicas are drained already.
   * @throws `CONFLICT` while the table in force gives the replica a weight above 0.
   */
  drain(replicaId: string, timeoutMs: number, options?: GatewayCallOptions): Promise<DrainResult>;
  stats(options?: GatewayCallOptions): Promise<GatewayStats>;
  /** What clients met at an instance, by its name; undefined where the table in force does not name it. */
  traffic(instance: string, options?: GatewayCallOptions): Promise<TrafficCounts | undefined>;
  /** Ends the process: closes its ports at once, gives requests in flight `timeoutMs` (default 0), returns before it is gone. */
  shutdown(options?: GatewayCallOptions & { readonly timeoutMs?: number }): Promise<void>;
}

export interface GatewayCallOptions {
  readonly signal?: AbortSignal;
}

export interface DrainResult {
  /** Connections and requests that were still open at the time limit and were cut. */
  readonly cut: number;
}

export interface GatewayStats {
  readonly pid: number;
  /** Of the table in force; 0 before the first. */
  readonly version: number;
  readonly uptimeMs: number;
  readonly entrances: readonly EntranceStats[];
  readonly replicas: readonly ReplicaStats[];
}

export interface EntranceStats {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** Accepted since the entrance opened. */
  readonly connections: number;
  readonly openConnections: number;
  readonly requests: number;
  /** Answered by the gateway itself with 4xx or 5xx. */
  readonly refused: number;
}

/** Since the replica was routed. Gone once it is neither routed nor asked any more. */
export interface ReplicaStats {
  readonly replicaId: string;
  readonly requests: number;
  /** Requests and connections that the replica did not answer: refused, reset, cut. */
  readonly failures: number;
  /** Requests being answered, and TCP connections and WebSockets open. */
  readonly inFlight: number;
  /** From the request's head to the head of the answer, HTTP only; null before the first. Buckets are 20 % wide. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** `gateway.json`. */
export interface GatewayRecord extends ProcessIdentity {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly version: string;
}

/** `dir`: the data folder, absolute. Calls throw `UNAVAILABLE` while no gateway runs there; `startGateway` starts one. */
export function gatewayClient({ dir }: { readonly dir: string }): GatewayClient {
  const call = <T>(operation: string, body: unknown, options: GatewayCallOptions = {}): Promise<T> =>
    // Both ends are of this package; the server answers what the interface says.
    callJson(socketPath(dir, "gateway"), operation, body, options) as Promise<T>;
  return {
    apply: async (table, options) => {
      try {
        await call("apply", table, options);
      } catch (error) {
        throw withHolder(error, table);
      }
    },
    drain: (replicaId, timeoutMs, options) => call("drain", { replicaId, timeoutMs }, options),
    stats: (options) => call("stats", {}, options),
    traffic: async (instance, options) =>
      (await call<{ readonly counts?: TrafficCounts }>("traffic", { instance }, options)).counts,
    shutdown: async (options = {}) => {
      await call("shutdown", { timeoutMs: options.timeoutMs ?? 0 }, options);
    },
  };
}
