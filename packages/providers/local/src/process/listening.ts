import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isErrno } from "./json-file.ts";

const tcpListen = "0A";

/** TCP ports that these processes listen on, ascending. Processes that ended meanwhile count as listening nowhere. */
export function listeningPorts(pids: readonly number[]): readonly number[] {
  const sockets = new Set(pids.flatMap(socketsOf));
  const ports = new Set<number>();
  for (const { inode, port } of allListeners()) if (sockets.has(inode)) ports.add(port);
  return [...ports].sort((a, b) => a - b);
}

function allListeners(): readonly { readonly inode: string; readonly port: number }[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    readLines(file).flatMap((line) => {
      // sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode
      const fields = line.trim().split(/\s+/);
      const [, local = "", , state, , , , , , inode = ""] = fields;
      return state === tcpListen ? [{ inode, port: parseInt(local.slice(local.lastIndexOf(":") + 1), 16) }] : [];
    }),
  );
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "latin1").split("\n").slice(1);
  } catch (error) {
    // No IPv6 on this machine.
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}

/** Inodes of the sockets that a process holds. */
function socketsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode === undefined ? [] : [inode];
    });
  } catch (error) {
    // Ended, or (a set-user-id program) not ours to look into.
    if (isErrno(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return [];
    throw error;
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH")) return "";
    throw error;
  }
}
