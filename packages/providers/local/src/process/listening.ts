import { readListening, socketsOf } from "./listening-sockets.ts";

/** TCP ports that these processes listen on, ascending. Processes that ended meanwhile count as listening nowhere. */
export function listeningPorts(pids: readonly number[]): readonly number[] {
  const own = new Set(pids.flatMap(socketsOf));
  const listening = readListening().filter(({ transport, inode }) => transport === "tcp" && own.has(inode));
  return [...new Set(listening.map(({ port }) => port))].sort((a, b) => a - b);
}
