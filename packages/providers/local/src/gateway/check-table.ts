import { isIP } from "node:net";
import { transportOf } from "./entrance.ts";
import type { Backend, Entrance, RouteTable } from "./routes.ts";

/** Key of an open port: equal where two entrances cannot be open at a time. */
export function portKey(entrance: Entrance): string {
  return `${transportOf(entrance)} ${entrance.address} ${entrance.port}`;
}

/** What contradicts itself in a table, one line each. */
export function problemsOf(table: RouteTable): string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  const ports = new Map<string, string>();
  for (const entrance of table.entrances) {
    const { id, address, port } = entrance;
    if (ids.has(id)) problems.push(`entrance ${id} stands twice`);
    ids.add(id);
    const other = ports.get(portKey(entrance));
    if (other !== undefined) problems.push(`entrances ${other} and ${id} both want ${address}:${port}`);
    ports.set(portKey(entrance), id);
    if (address !== "*" && isIP(address) === 0) problems.push(`entrance ${id}: ${address} is no IP address`);
    if (!isPort(port)) problems.push(`entrance ${id}: ${port} is no port`);
    const backends = [
      ...(entrance.backend === undefined ? [] : [entrance.backend]),
      ...(entrance.domains ?? []).map((each) => each.backend),
    ];
    problems.push(...backends.flatMap((backend) => backendProblems(id, backend)));
    if ((entrance.domains ?? []).length > 0 && (entrance.protocol === "tcp" || entrance.protocol === "udp")) {
      problems.push(`entrance ${id}: domains need HTTP, not ${entrance.protocol}`);
    }
  }
  return problems;
}

function backendProblems(id: string, backend: Backend): string[] {
  return backend.targets.flatMap((target) => {
    if (isIP(target.host) === 0 || !isPort(target.port))
      return [`entrance ${id}: ${target.replicaId} has no address (${target.host}:${target.port})`];
    if (!Number.isFinite(target.weight) || target.weight < 0)
      return [`entrance ${id}: weight ${target.weight} of ${target.replicaId} is no number from 0 on`];
    return [];
  });
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}
