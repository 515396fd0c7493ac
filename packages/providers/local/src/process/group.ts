import { readdirSync } from "node:fs";
import { readStat } from "./identity.ts";
import { isErrno } from "./json-file.ts";

/** Sends a signal to every process of a group. False where none is left. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
}

/** Pids of this machine. */
export function allPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Processes of the session that a replica's first process opened: those of its group, and of groups that it opened itself. */
export function sessionMembers(session: number): readonly number[] {
  return allPids().filter((pid) => {
    const stat = readStat(pid);
    return stat !== undefined && stat.session === session && stat.state !== "Z";
  });
}
