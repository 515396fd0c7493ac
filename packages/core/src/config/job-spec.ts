import type { ServiceSpec } from "../model/spec.ts";
import { scheduleProblem, timezoneProblem } from "./cron.ts";
import type { At } from "./at.ts";
import type { DeclaredService } from "./schema/service.ts";

export function readJob(declared: DeclaredService): NonNullable<ServiceSpec["job"]> {
  const { schedule, timezone, overlap, retry = false, strategy } = declared;
  const timeoutMs = typeof strategy === "object" ? strategy.timeout : undefined;
  return {
    ...(schedule === undefined ? {} : { schedule, timezone: timezone ?? "UTC", overlap: overlap ?? "skip" }),
    retry,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** What is for jobs alone, and what a job cannot have. */
export function checkJob(declared: DeclaredService, at: At): void {
  if (declared.kind === "job") return checkJobHasNone(declared, at);
  for (const key of ["schedule", "timezone", "overlap", "retry"] as const) {
    if (declared[key] !== undefined)
      at.child(key).problem({
        code: "job-field",
        at: "key",
        summary: `${key} is for jobs`,
        hint: "Add `kind: job`, or remove it.",
      });
  }
}

function checkJobHasNone(declared: DeclaredService, at: At): void {
  const refuse = (where: At, summary: string, hint: string): void => {
    where.problem({ code: "job-field", at: "key", summary, hint });
  };
  const hints = {
    ports: "Remove it; what must be reached is a service.",
    domains: "Remove it; what must be reached is a service.",
    tls: "Remove it; what must be reached is a service.",
    health: "Remove it: a job is done when its command ends with 0.",
  };
  for (const key of ["ports", "domains", "tls", "health"] as const) {
    const value = declared[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    refuse(at.child(key), `a job has no ${key}`, hints[key]);
  }
  const replicas = declared.scale?.replica;
  if (replicas !== undefined && replicas !== 1)
    refuse(
      at.child("scale").child("replica"),
      "a job runs once at a time",
      "Remove it, or divide the work into several jobs.",
    );
  checkStrategy(declared.strategy, at.child("strategy"), refuse);
  checkSchedule(declared, at, refuse);
}

type Refuse = (where: At, summary: string, hint: string) => void;

function checkStrategy(strategy: DeclaredService["strategy"], at: At, refuse: Refuse): void {
  const hint = "Only `strategy: { timeout: 10m }` is for jobs: how long an attempt may take.";
  if (typeof strategy === "string") return refuse(at, "a job replaces nothing, and has no strategy", hint);
  for (const key of Object.keys(strategy ?? {})) {
    if (key !== "timeout") refuse(at.child(key), `a job replaces nothing, and has no strategy.${key}`, hint);
  }
}

function checkSchedule({ schedule, timezone, overlap, retry }: DeclaredService, at: At, refuse: Refuse): void {
  if (schedule !== undefined) {
    checkTimes(schedule, timezone, at);
    if (retry !== undefined)
      refuse(
        at.child("retry"),
        "retry is for jobs that a deploy runs",
        "Remove it: the next run comes by the schedule.",
      );
    return;
  }
  for (const [key, value] of Object.entries({ timezone, overlap })) {
    if (value !== undefined) refuse(at.child(key), `${key} belongs to a schedule`, "Add `schedule`, or remove it.");
  }
}

function checkTimes(schedule: string, timezone: string | undefined, at: At): void {
  const zoneProblem = timezone === undefined ? undefined : timezoneProblem(timezone);
  if (zoneProblem !== undefined)
    at.child("timezone").problem({
      code: "timezone",
      summary: zoneProblem,
      hint: "Write a name of the IANA database, e.g. Europe/Berlin, or UTC.",
    });
  const problem = scheduleProblem(schedule);
  if (problem !== undefined)
    at.child("schedule").problem({
      code: "schedule",
      summary: problem,
      hint: 'Minute, hour, day of the month, month, day of the week: "0 3 * * *" is every day at 3.',
    });
}
