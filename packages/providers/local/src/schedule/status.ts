import type { JobRun, ScheduleStatus } from "@ctrlplane/core/provider";
import { daemonFile } from "../layout.ts";
import { isAlive } from "../process/identity.ts";
import { readJsonFile } from "../process/json-file.ts";
import type { LocalReplica } from "../supervisor/operations.ts";
import type { ProcessIdentity } from "../supervisor/records.ts";
import { hasSchedule, readRuns, readSchedule } from "./files.ts";

/** What is registered for an instance, from files alone. `replicas` are those of the instance, `stopped` its mark. */
export async function scheduleStatus(
  dir: string,
  instance: string,
  replicas: readonly LocalReplica[],
  stopped: boolean,
): Promise<ScheduleStatus | undefined> {
  // Of a thousand services few have one: to look is cheap, to fail to read is not.
  const schedule = hasSchedule(dir, instance) ? readSchedule(dir, instance) : undefined;
  if (schedule === undefined) return undefined;
  const { cron, timezone, run } = schedule;
  const runs = readRuns(dir, instance);
  const last = replicas.map(runningOf).findLast((each) => each !== undefined) ?? runs.last;
  const isRun = !stopped && isAlive(readJsonFile<ProcessIdentity>(daemonFile(dir, "supervisor")));
  const next = isRun ? await nextOf(schedule) : undefined;
  return {
    cron,
    timezone,
    release: run.replica.releaseNumber,
    ...(next === undefined ? {} : { nextAt: new Date(next).toISOString() }),
    ...(last === undefined ? {} : { last }),
    ...(runs.skippedAt === undefined ? {} : { skippedAt: runs.skippedAt }),
  };
}

/** Loaded where there is a schedule. */
async function nextOf(schedule: { readonly cron: string; readonly timezone: string }): Promise<number | undefined> {
  const { nextTime } = await import("./cron.ts");
  return nextTime(schedule, Date.now());
}

function runningOf({ pid, startedAt, record }: LocalReplica): JobRun | undefined {
  if (pid === undefined || startedAt === undefined || record.policy.restart !== "never") return undefined;
  const { releaseNumber: release, deployment } = record;
  return { release, deployment, outcome: "running", startedAt };
}
