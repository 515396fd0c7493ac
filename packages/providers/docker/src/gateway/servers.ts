import { serverName, type GatewayPort, type GatewayTable } from "./gateway-table.ts";
import { wholeWeights } from "./weights.ts";

/** A target behind one port, as HAProxy is told of it. */
export interface Server {
  /** `http-3000`, `tcp-3000`. */
  readonly backend: string;
  readonly name: string;
  /** Its address now. */
  readonly host: string;
  /** What the network's name service knows it by, whatever address it gets; undefined where the target is no container. */
  readonly hostName?: string;
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
        const follows = /^[0-9a-f]{64}$/.test(id) ? { hostName: id.slice(0, 12) } : {};
        const server = { backend, host, ...follows, port: port.containerPort, weight: weights[index] ?? 0 };
        const checked = { ...server, name: serverName(id), isBackup: false };
        // A closed port answers nobody; a replica that fails an HTTP check may still serve.
        if (table.health?.probe.kind !== "http") return [checked];
        return [checked, { ...server, name: `${checked.name}${backupSuffix}`, isBackup: true }];
      }),
    ),
  );
}

const backupSuffix = "-any";

/** A server, or its backup, is this target's. */
export function isOfTarget({ name }: { readonly name: string }, targetId: string): boolean {
  return name === serverName(targetId) || name === `${serverName(targetId)}${backupSuffix}`;
}
