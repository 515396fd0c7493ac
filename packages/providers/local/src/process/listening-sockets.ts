import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { endianness } from "node:os";
import { errnoOf } from "../errors.ts";

/** A port of this machine that a process listens on. Plain data. */
export interface ListeningSocket {
  readonly transport: "tcp" | "udp";
  /** IP address; `*` for all of the machine's. */
  readonly address: string;
  readonly port: number;
  /** The kernel's name of the socket, as in `/proc/<pid>/fd`. */
  readonly inode: string;
}

export interface SocketOwner {
  readonly pid: number;
  /** Its command line, word by word; none where this user may not see it. */
  readonly argv: readonly string[];
}

const tcpListen = "0A";
const udpBound = "07";

/** What is listened on, on this machine, from `/proc`. Elsewhere than on Linux: nothing is known. */
export function readListening(): readonly ListeningSocket[] {
  return [
    ...readTable("/proc/net/tcp", "tcp", tcpListen),
    ...readTable("/proc/net/tcp6", "tcp", tcpListen),
    ...readTable("/proc/net/udp", "udp", udpBound),
    ...readTable("/proc/net/udp6", "udp", udpBound),
  ];
}

/** Names of the sockets that a process holds; none where it has ended, or is not ours to look into. */
export function socketsOf(pid: number): readonly string[] {
  return (orGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []).flatMap((fd) => {
    const target = orGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? "";
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
  });
}

/** Whose a socket is; undefined where this user may not see that. Reads the open files of every process, so it is for those who are told of one alone. */
export function ownerOf({ inode }: Pick<ListeningSocket, "inode">): SocketOwner | undefined {
  const processes = (orGone(() => readdirSync("/proc")) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
  const pid = processes.find((each) => socketsOf(each).includes(inode));
  return pid === undefined ? undefined : { pid, argv: argumentsOf(pid) };
}

/** Whether anybody still listens on it, also one who may not be looked into. */
export function isHeld({ inode }: Pick<ListeningSocket, "inode">): boolean {
  return readListening().some((each) => each.inode === inode);
}

/** True where a listener at `address` keeps another from listening at `wanted`. */
export function overlaps(address: string, wanted: string): boolean {
  return address === "*" || wanted === "*" || address === wanted;
}

function readTable(file: string, transport: "tcp" | "udp", state: string): readonly ListeningSocket[] {
  const text = orGone(() => readFileSync(file, "utf8"));
  return (text ?? "")
    .split("\n")
    .slice(1)
    .flatMap((line): ListeningSocket[] => {
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

/** `pid 4711 (node server.js)`. */
export function describeOwner(owner: SocketOwner | undefined): string {
  if (owner === undefined) return "a process of another user";
  const text = owner.argv.slice(0, 3).join(" ");
  if (text === "") return `pid ${owner.pid}`;
  return `pid ${owner.pid} (${text.length > 80 ? `${text.slice(0, 79)}…` : text})`;
}

function argumentsOf(pid: number): readonly string[] {
  const text = orGone(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "";
  return text.split("\0").filter((word) => word !== "");
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
