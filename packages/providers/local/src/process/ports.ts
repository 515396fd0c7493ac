import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** Half-open range of port numbers. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** 20000 to 29999 are the loopback addresses of instances: a replica that listens on all addresses would take them. */
const candidates: readonly PortRange[] = [
  { from: 61000, to: 65536 },
  { from: 30000, to: 61000 },
  { from: 10000, to: 20000 },
];

/** Where the system takes the ports of outgoing connections from. */
export function ephemeralRange(): PortRange {
  const [low, high] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/).map(Number);
  return low === undefined || high === undefined ? { from: 32768, to: 61000 } : { from: low, to: high + 1 };
}

/** Candidates in the order of preference: outside of the ephemeral range first, so that no outgoing connection takes one. */
export function portRanges(ephemeral: PortRange): readonly PortRange[] {
  const outside = candidates.flatMap((range) => [
    { from: range.from, to: Math.min(range.to, ephemeral.from) },
    { from: Math.max(range.from, ephemeral.to), to: range.to },
  ]);
  return [...outside, ...candidates].filter((range) => range.from < range.to);
}

/**
 * A port that is not in `taken` and that nothing listens on. The search begins at a random place, so that supervisors of two
 * folders rarely meet. Throws `QUOTA` where there is none.
 */
export async function freePort(taken: ReadonlySet<number>, ranges = portRanges(ephemeralRange())): Promise<number> {
  for (const { from, to } of ranges) {
    const size = to - from;
    const first = Math.floor(Math.random() * size);
    for (let step = 0; step < size; step++) {
      const port = from + ((first + step) % size);
      if (!taken.has(port) && (await isPortFree(port))) return port;
    }
  }
  throw new CtrlPlaneError("QUOTA", "no free port is left on this machine for a replica");
}

/** Nothing listens on it, on any address. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, "::")) ?? (await canListen(port, "0.0.0.0")) ?? false;
}

/** Undefined where the address family does not exist on this machine. */
function canListen(port: number, host: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "EADDRINUSE" || error.code === "EACCES" ? false : undefined);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
