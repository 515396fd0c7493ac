import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { LeaseHolder } from "./lease-record.ts";

/** This process as a holder of leases. `user` and `host` default to what the system says. */
export function currentHolder(of: { command: string; user?: string; host?: string }): LeaseHolder {
  const startTime = processStartTime(process.pid);
  const hostId = currentHostId();
  return {
    id: randomUUID(),
    user: of.user ?? userInfo().username,
    host: of.host ?? hostname(),
    pid: process.pid,
    ...(startTime === undefined ? {} : { startTime }),
    ...(hostId === undefined ? {} : { hostId }),
    command: of.command,
  };
}

/** True only where it is certain: the holder was a process of this machine, in this boot and pid namespace, and is no more. */
export function isKnownDead(holder: LeaseHolder, hostId = currentHostId()): boolean {
  if (hostId === undefined || holder.hostId !== hostId || holder.startTime === undefined) return false;
  const startTime = processStartTime(holder.pid);
  // With /proc hidden (hidepid) a process of another user looks absent; a signal tells.
  return startTime === undefined ? !processExists(holder.pid) : startTime !== holder.startTime;
}

/**
 * When a process was started, in the kernel's ticks since boot; with the pid it names one process for good. Undefined where
 * there is none, where it is a zombie, or where the system has no /proc.
 */
export function processStartTime(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  // The second field is the command in brackets, and may itself hold spaces and brackets (proc(5)).
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
  return fields[19];
}

/** Cloned machines share a machine-id, containers a boot, and each pid namespace counts by itself: all four together. */
function currentHostId(): string | undefined {
  const boot = readIfThere("/proc/sys/kernel/random/boot_id");
  if (boot === undefined) return undefined;
  const machine = readIfThere("/etc/machine-id") ?? "";
  const text = JSON.stringify([machine.trim(), boot.trim(), hostname(), readlinkSync("/proc/self/ns/pid")]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function processExists(pid: number): boolean {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat !== undefined && stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = codeOf(error);
    // ESRCH: the process ended between open and read. EACCES: hidden from us.
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
