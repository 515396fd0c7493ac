import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { endianness } from "node:os";
import { errnoOf } from "./errors.ts";

/** A port of this machine that a process listens on. Plain data. */
export interface PortHolder {
  readonly transport: "tcp" | "udp";
  /** IP address; `*` for all of the machine's. */
  readonly address: string;
  readonly port: number;
  /** Absent where this user may not see whose it is. */
  readonly pid?: number;
  /** First words of its command line. */
  readonly command?: string;
}

const tcpListen = "0A";
const udpBound = "07";

/** Who listens on this machine, from `/proc`. Elsewhere than on Linux: nobody is known. */
export function readListening(): readonly PortHolder[] {
  const sockets = [
    ...readTable("/proc/net/tcp", "tcp", tcpListen),
    ...readTable("/proc/net/tcp6", "tcp", tcpListen),
    ...readTable("/proc/net/udp", "udp", udpBound),
    ...readTable("/proc/net/udp6", "udp", udpBound),
  ];
  const owners = ownersOf(sockets);
  return sockets.map(({ inode, ...socket }) => ({ ...socket, ...owners.get(inode) }));
}

/** True where a listener at `address` keeps another from listening at `wanted`. */
export function overlaps(address: string, wanted: string): boolean {
  return address === "*" || wanted === "*" || address === wanted;
}

interface Socket extends PortHolder {
  readonly inode: string;
}

function readTable(file: string, transport: "tcp" | "udp", state: string): readonly Socket[] {
  const text = orGone(() => readFileSync(file, "utf8"));
  return (text ?? "")
    .split("\n")
    .slice(1)
    .flatMap((line): Socket[] => {
      const [, local, , found, , , , , , inode] = line.trim().split(/\s+/);
      const [hex, port] = (local ?? "").split(":");
      if (found !== state || hex === undefined || port === undefined || inode === undefined) return [];
      return [{ transport, address: parseAddress(hex), port: Number.parseInt(port, 16), inode }];
    });
}

/** The kernel prints an address as 32-bit words in the machine's byte order. */
function parseAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => {
    const parts = (word.match(/../g) ?? []).map((part) => Number.parseInt(part, 16));
    return endianness() === "LE" ? parts.toReversed() : parts;
  });
  if (bytes.every((byte) => byte === 0)) return "*";
  if (bytes.length === 4) return bytes.join(".");
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isMapped) return bytes.slice(12).join(".");
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return "::1";
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bytes[2 * index] ?? 0) * 256 + (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return groups.join(":");
}

interface Owner {
  readonly pid: number;
  readonly command: string;
}

/** Whose a socket is, as far as this process looked before: finding out reads the open files of every process. */
let known: ReadonlyMap<string, Owner | undefined> = new Map();

function ownersOf(sockets: readonly Socket[]): ReadonlyMap<string, Owner | undefined> {
  const inodes = new Set(sockets.map(({ inode }) => inode));
  const found = findOwners(new Set([...inodes].filter((inode) => !known.has(inode))));
  known = new Map([...inodes].map((inode) => [inode, known.get(inode) ?? found.get(inode)]));
  return known;
}

function findOwners(wanted: ReadonlySet<string>): ReadonlyMap<string, Owner> {
  const owners = new Map<string, Owner>();
  if (wanted.size === 0) return owners;
  for (const name of orGone(() => readdirSync("/proc")) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    for (const fd of orGone(() => readdirSync(`/proc/${name}/fd`)) ?? []) {
      const inode = /^socket:\[(\d+)\]$/.exec(orGone(() => readlinkSync(`/proc/${name}/fd/${fd}`)) ?? "")?.[1];
      if (inode === undefined || !wanted.has(inode) || owners.has(inode)) continue;
      owners.set(inode, { pid: Number(name), command: commandOf(name) });
    }
  }
  return owners;
}

function commandOf(pid: string): string {
  const words = (orGone(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "")
    .split("\0")
    .filter((word) => word !== "");
  const text = words.slice(0, 3).join(" ");
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Processes end while `/proc` is read, and those of others may not be looked into: both are simply not seen. */
function orGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
