import { readFileSync } from "node:fs";
import type { ProcessIdentity } from "../supervisor/records.ts";
import { isErrno } from "./json-file.ts";

/** What `/proc/<pid>/stat` says of a process. */
export interface ProcessStat {
  /** `R`, `S`, `Z` and so on. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** User and system time in clock ticks. */
  readonly cpuTicks: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
  /** Resident memory in pages. */
  readonly residentPages: number;
}

/** Undefined where there is no such process. */
export function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
  // The name in field 2 may hold anything, brackets and blanks included, but ends with the last bracket.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (index: number): number => Number(fields[index]);
  return {
    state: fields[0] ?? "",
    parent: number(1),
    group: number(2),
    session: number(3),
    cpuTicks: number(11) + number(12),
    startTime: fields[19] ?? "",
    residentPages: number(21),
  };
}

/** It runs, and is the same process: a zombie has ended, a process with another start time is another. */
export function isAlive(process: ProcessIdentity | undefined): boolean {
  if (process === undefined) return false;
  const stat = readStat(process.pid);
  return stat !== undefined && stat.startTime === process.startTime && stat.state !== "Z" && stat.state !== "X";
}

/** Undefined where there is no such process. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime };
}
