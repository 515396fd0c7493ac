import type { GatewayTable } from "./gateway-table.ts";

/** A host port as a container publishes it, which is fixed with its creation. Plain data. */
export interface Publication {
  readonly containerPort: number;
  readonly hostPort: number;
  /** Empty: all addresses of the host. */
  readonly address: string;
}

/** What a gateway container is, as far as ports are concerned. */
export interface Publisher {
  readonly publishes: readonly Publication[];
}

/** Who keeps publishing, what is published by nobody yet, and who is not needed any more. */
export interface Assignment<T> {
  readonly kept: readonly T[];
  /** Ports of one further container; undefined where none is needed. */
  readonly added?: readonly Publication[];
  readonly retired: readonly T[];
}

export function publicationsOf({ ports }: GatewayTable): readonly Publication[] {
  const all = ports.flatMap(({ containerPort, hostPort, address = "" }) =>
    hostPort === undefined ? [] : [{ containerPort, hostPort, address }],
  );
  return [...new Map(all.map((each) => [describe(each), each])).values()];
}

/**
 * A container cannot publish further ports, and one that publishes a port that is wanted must not blink: what is new gets a
 * container of its own, and a container stays while any of its ports is wanted. Where a host port leads elsewhere than before, its container
 * is made anew, and blinks. Pure.
 */
export function assignPorts<T extends Publisher>(
  existing: readonly T[],
  wanted: readonly Publication[],
): Assignment<T> {
  const open = new Map(wanted.map((each) => [describe(each), each]));
  const isWanted = (port: Publication): boolean => wanted.some((each) => describe(each) === describe(port));
  const kept = existing.filter(({ publishes }) => {
    // It would keep the host port from where it has to lead now.
    if (publishes.some((each) => !isWanted(each) && isHeld(each, wanted))) return false;
    const own = publishes.filter((each) => open.has(describe(each)));
    for (const each of own) open.delete(describe(each));
    return own.length > 0;
  });
  // Nothing is published: any one will do, for the network alone.
  const [inside] = wanted.length === 0 ? existing.filter(({ publishes }) => publishes.length === 0) : [];
  const all = inside === undefined ? kept : [inside];
  const isNeeded = open.size > 0 || all.length === 0;
  return {
    kept: all,
    ...(isNeeded ? { added: [...open.values()] } : {}),
    retired: existing.filter((each) => !all.includes(each)),
  };
}

/** One of these has the same host port. */
export function isHeld({ hostPort }: Publication, by: readonly Publication[]): boolean {
  return by.some((each) => each.hostPort === hostPort);
}

function describe({ containerPort, hostPort, address }: Publication): string {
  return `${address}:${hostPort}:${containerPort}`;
}
