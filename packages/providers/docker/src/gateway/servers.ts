import { hostNameOf, type GatewayPort, type GatewayTable } from "./gateway-table.ts";
import { wholeWeights } from "./weights.ts";

/** A target behind one port, as HAProxy is told of it. */
export interface Server {
  /** `http-3000`, `tcp-3000`. */
  readonly backend: string;
  /** By which it is looked up, again and again: a replica that starts anew may have another address. */
  readonly hostName: string;
  /** Its address now. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  /** Gets traffic only while all others of its backend fail their checks; it has none itself. */
  readonly isBackup: boolean;
}

/** The backends of a port: what a client speaks decides between them. */
export function modesOf({ protocol }: GatewayPort): readonly ("http" | "tcp")[] {
  return protocol === "auto" ? ["http", "tcp"] : [protocol];
}

/** Ports that the gateway listens on, each once, whatever host ports lead to it. */
export function listenersOf({ ports }: GatewayTable): readonly GatewayPort[] {
  return [...new Map(ports.map((each) => [each.containerPort, each])).values()];
}

/** Every server of every backend. */
export function serversOf(table: GatewayTable): readonly Server[] {
  const weights = wholeWeights(table.targets.map((each) => each.weight));
  return listenersOf(table).flatMap((port) =>
    modesOf(port).flatMap((mode) =>
      table.targets.flatMap(({ id, host }, index) => {
        const backend = `${mode}-${port.containerPort}`;
        const server = {
          backend,
          hostName: hostNameOf(id),
          host,
          port: port.containerPort,
          weight: weights[index] ?? 0,
          isBackup: false,
        };
        // A closed port answers nobody; a replica that fails an HTTP check may still serve.
        return table.health?.probe.kind === "http" ? [server, { ...server, isBackup: true }] : [server];
      }),
    ),
  );
}

/** Targets that a backend has room for: all of now, and as many that come while these drain. */
export function roomFor({ targets }: GatewayTable): number {
  return 2 ** Math.ceil(Math.log2(Math.max(8, 2 * targets.length)));
}
