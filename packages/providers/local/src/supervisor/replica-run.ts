import { readlinkSync } from "node:fs";
import type { ReplicaFiles } from "../layout.ts";
import { allPids, sessionMembers, signalGroup } from "../process/group.ts";
import { isAlive, readStat } from "../process/identity.ts";
import { isErrno, readVolatileJson } from "../process/json-file.ts";
import { startShim, type ShimRequest } from "../process/start-shim.ts";
import type { ExitRecord, RunRecord, ShimRecord } from "./records.ts";
import { pause } from "./timing.ts";

/** How often a process is looked at that is not this process's child. */
const pollMs = 50;

/** One run of a replica that was started, by this supervisor or by the one before. */
export interface ReplicaRun {
  readonly run: number;
  /** Absent where it could not be started. */
  readonly process?: RunRecord;
  /** Resolves when nothing of it runs; undefined where nobody saw how it ended. */
  readonly ended: Promise<ExitRecord | undefined>;
}

/** Starts a run. Rejects where the shim itself cannot be started. */
export async function launchRun(files: ReplicaFiles, request: ShimRequest): Promise<ReplicaRun> {
  const shim = startShim(request);
  try {
    await shim.started;
  } catch (error) {
    endStrays(request.cwd);
    throw error;
  }
  return runOf(files, request.run, shim.ended);
}

/** The run that an earlier supervisor started; undefined where there was none, or it never came to be. */
export async function adoptRun(files: ReplicaFiles, cwd: string): Promise<ReplicaRun | undefined> {
  const shim = readVolatileJson<ShimRecord>(files.shim);
  if (shim === undefined) return undefined;
  while (isAlive(shim) && readRun(files, shim.run) === undefined && readExit(files, shim.run) === undefined)
    await pause(pollMs);
  const run = runOf(files, shim.run, Promise.resolve());
  if (run.process !== undefined || readExit(files, shim.run) !== undefined) return run;
  endStrays(cwd);
  return undefined;
}

/** Sends a signal to all of a run's processes, if it still is this run. */
export function signalRun(run: ReplicaRun, signal: NodeJS.Signals): void {
  if (run.process !== undefined && isAlive(run.process)) signalGroup(run.process.pid, signal);
}

function runOf(files: ReplicaFiles, run: number, shimEnded: Promise<void>): ReplicaRun {
  const process = readRun(files, run);
  const ended = shimEnded.then(() => awaitEnd(files, run, process));
  return process === undefined ? { run, ended } : { run, process, ended };
}

async function awaitEnd(
  files: ReplicaFiles,
  run: number,
  process: RunRecord | undefined,
): Promise<ExitRecord | undefined> {
  while (isAlive(process) || isAlive(process?.shim)) {
    if (readExit(files, run) !== undefined) break;
    await pause(pollMs);
  }
  // After the end of both, so that an exit written last is seen.
  const exit = readExit(files, run);
  if (exit === undefined && process !== undefined) endLeftovers(process.pid);
  return exit;
}

/** Its shim is dead and could not do it. */
function endLeftovers(session: number): void {
  for (const pid of sessionMembers(session)) kill(pid);
}

/** A shim that was killed between starting its replica and saying so left a process that only its working folder tells. */
function endStrays(cwd: string): void {
  for (const pid of allPids()) if (readStat(pid)?.session === pid && workingFolder(pid) === cwd) endLeftovers(pid);
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

function readRun(files: ReplicaFiles, run: number): RunRecord | undefined {
  const found = readVolatileJson<RunRecord>(files.run);
  return found?.run === run ? found : undefined;
}

function readExit(files: ReplicaFiles, run: number): ExitRecord | undefined {
  const found = readVolatileJson<ExitRecord>(files.exit);
  return found?.run === run ? found : undefined;
}
