import { Cron } from "croner";
import type { JobTimes, RunsRecord, ScheduleRecord } from "./records.ts";

/** A time that is not longer ago than this is caught up on: the supervisor was being replaced, or the machine was busy. */
const patienceMs = 60_000;

/** The first time after `afterMs`; undefined where none comes. Milliseconds since the epoch. */
export function nextTime({ cron, timezone }: Pick<JobTimes, "cron" | "timezone">, afterMs: number): number | undefined {
  // As where the declaration is read.
  const times = new Cron(cron, { mode: "5-or-6-parts", paused: true, timezone });
  return times.nextRun(new Date(afterMs))?.getTime();
}

/** The latest time that has come and was not acted on; undefined where there is none. What is older than a minute was missed. */
export function dueTime(schedule: ScheduleRecord, runs: RunsRecord, nowMs: number): number | undefined {
  let due: number | undefined;
  let next = nextTime(schedule, seenUntil(schedule, runs, nowMs));
  while (next !== undefined && next <= nowMs) {
    due = next;
    next = nextTime(schedule, next);
  }
  return due;
}

/** When to look again. */
export function wakeTime(schedule: ScheduleRecord, runs: RunsRecord, nowMs: number): number | undefined {
  return nextTime(schedule, Math.max(nowMs, seenUntil(schedule, runs, nowMs)));
}

/** No time up to this one counts. What a clock that was wrong has left in the future does not either. */
function seenUntil({ registeredAt }: ScheduleRecord, { actedAt = 0 }: RunsRecord, nowMs: number): number {
  const marks = [registeredAt, actedAt].filter((each) => each <= nowMs + patienceMs);
  return Math.max(nowMs - patienceMs, ...marks);
}
