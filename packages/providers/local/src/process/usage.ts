import { readFileSync } from "node:fs";
import type { ReplicaUsage } from "@ctrlplane/core/provider";
import type { LocalReplica } from "../supervisor/operations.ts";
import { pause } from "../supervisor/timing.ts";
import { allPids } from "./group.ts";
import { readStat } from "./identity.ts";
import { isErrno } from "./json-file.ts";

/** Over how long the use of the processor is measured: long against a tick of 10 ms. */
const windowMs = 500;

/** Linux gives times in `/proc` in this unit on every architecture (USER_HZ). */
const msPerTick = 10;

/**
 * What the processes of these replicas use: processor over half a second, memory now (proportional share of shared pages where
 * the system tells it, else resident). Those that do not run are left out.
 */
export async function measureUsage(
  replicas: readonly LocalReplica[],
  signal?: AbortSignal,
): Promise<readonly ReplicaUsage[]> {
  const before = measureSessions();
  const startedAt = performance.now();
  await pause(windowMs, signal);
  signal?.throwIfAborted();
  const after = measureSessions();
  const elapsedMs = performance.now() - startedAt;
  return replicas.flatMap((replica) => {
    const now = replica.pid === undefined ? undefined : after.get(replica.pid);
    if (replica.pid === undefined || now === undefined) return [];
    // A process that came meanwhile counts from 0, one that went not at all.
    const usedTicks = now.cpuTicks - (before.get(replica.pid)?.cpuTicks ?? 0);
    return {
      replica: replica.name,
      cpuMillis: Math.max(0, Math.round((usedTicks * msPerTick * 1000) / elapsedMs)),
      memoryMb: Math.round((now.pids.reduce((sum, pid) => sum + memoryKb(pid), 0) / 1024) * 10) / 10,
      limits: replica.record.limits,
    };
  });
}

interface SessionUse {
  cpuTicks: number;
  readonly pids: number[];
}

/** By session, which has the number of the replica's first process. */
function measureSessions(): ReadonlyMap<number, SessionUse> {
  const sessions = new Map<number, SessionUse>();
  for (const pid of allPids()) {
    const stat = readStat(pid);
    if (stat === undefined || stat.state === "Z") continue;
    const use = sessions.get(stat.session) ?? { cpuTicks: 0, pids: [] };
    use.cpuTicks += stat.cpuTicks;
    use.pids.push(pid);
    sessions.set(stat.session, use);
  }
  return sessions;
}

function memoryKb(pid: number): number {
  const exact = field(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB/m);
  return exact ?? field(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB/m) ?? 0;
}

function field(path: string, pattern: RegExp): number | undefined {
  try {
    const value = pattern.exec(readFileSync(path, "latin1"))?.[1];
    return value === undefined ? undefined : Number(value);
  } catch (error) {
    // Ended meanwhile, or a kernel without it.
    if (isErrno(error, "ENOENT", "ESRCH", "EACCES")) return undefined;
    throw error;
  }
}
