import { readFileSync, readlinkSync } from "node:fs";
import { allPids } from "./process/group.ts";
import { isErrno } from "./process/json-file.ts";

/** Processes whose working folder is `folder` or lies below it. */
export function processesIn(folder: string): readonly number[] {
  return allPids().filter((pid) => {
    const cwd = orGone(() => readlinkSync(`/proc/${pid}/cwd`)) ?? "";
    return cwd === folder || cwd.startsWith(`${folder}/`);
  });
}

/** Processes with `text` in their arguments. */
export function processesWith(text: string): readonly number[] {
  return allPids().filter((pid) => commandLine(pid).includes(text));
}

/** Arguments, separated by NUL; empty where the process is gone. */
export function commandLine(pid: number): string {
  return orGone(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "";
}

function orGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}
