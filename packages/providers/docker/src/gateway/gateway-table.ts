import type { HealthSpec, InstanceIdentity } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";

/** A port of a service. UDP is not the gateway's. Plain data. */
export interface GatewayPort {
  /** What the replicas listen on; the gateway listens on the same one inside of the stack's network. */
  readonly containerPort: number;
  /** Absent: published nowhere, only other services reach it. */
  readonly hostPort?: number;
  /** Of the host, to publish at. Default: all. */
  readonly address?: string;
  /** `auto`: decided for each connection by the client's first bytes; none within a second is TCP. */
  readonly protocol: "auto" | "http" | "tcp";
}

/** A replica that requests go to. Plain data. */
export interface GatewayTarget {
  /** The replica's container id. */
  readonly id: string;
  /** Its address in the stack's network. */
  readonly host: string;
  /** Percent of new requests and connections; 0: none, and those that are open go on. */
  readonly weight: number;
}

/** All that a gateway follows. Plain data. */
export interface GatewayTable {
  readonly ports: readonly GatewayPort[];
  /** Who is not among them any more gets nothing new; what is open on it goes on until `drainTarget`. */
  readonly targets: readonly GatewayTarget[];
  /** How long a gateway container that goes away waits for what is open on it. */
  readonly drainMs: number;
  /**
   * How targets are checked while they are routed; a target that fails gets nothing until it passes again, and where all fail, all get traffic. It holds
   * for every target: leave it away while old and new ones differ in it. Absent, or a command (which the engine runs): that their port is open.
   */
  readonly health?: HealthSpec;
}

/** Where a service's gateway is. */
export interface GatewayPlace {
  readonly engine: EngineClient;
  readonly instance: InstanceIdentity;
  /** Name of the stack's network. */
  readonly network: string;
  /** Names by which other services find this one in it. */
  readonly aliases: readonly string[];
  /** HAProxy 2.6 or newer, e.g. `haproxy:lts`; pulled where the host lacks it. */
  readonly image: string;
}

/** What is kept beside the configuration in the gateway's container, and read back. */
export interface StoredTable {
  readonly table: GatewayTable;
  /** Paths that `probeTarget` asks for. */
  readonly probes: readonly string[];
}

/** What the network's name service knows a container by, whatever address it has. */
export function hostNameOf(containerId: string): string {
  return containerId.slice(0, 12);
}
