import type { GatewayRecord } from "../gateway/client.ts";
import type { RouteTable } from "../gateway/routes.ts";

/** The gateway, as the supervisor uses it. It is started when it is needed, and again when it dies. */
export interface GatewayLink {
  /** Starts the gateway where none runs, while the caller does other things: `apply` tells what goes wrong. */
  warmUp(): void;
  /** Starts the gateway where none runs. Throws `FAILED` `PORT_IN_USE`. */
  apply(table: RouteTable): Promise<void>;
  drain(replicaId: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
  isRunning(): Promise<boolean>;
  /** Undefined where none runs. */
  process(): GatewayRecord | undefined;
  /** Ends it; absent is success. */
  stop(): Promise<void>;
  /** Watches it no longer; it lives on. */
  release(): void;
}
