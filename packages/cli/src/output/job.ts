import type { InstanceStatus, JobRun, ServiceStatus } from "@ctrlplane/core";
import type { NextStep } from "./next-step.ts";
import type { Tone } from "./paint.ts";
import { age, ago, elapsed } from "./time.ts";

export const runTones: Readonly<Record<JobRun["outcome"], Tone>> = {
  running: "good",
  completed: "good",
  failed: "bad",
  unknown: "bad",
};

/** `completed, exit 0`, `failed, exit 3`, `failed, SIGKILL`, `failed, FORBIDDEN`, `running`. */
export function runState(run: JobRun): string {
  const state = run.outcome === "unknown" ? "failed" : run.outcome;
  return [state, ending(run)].filter((each) => each !== "").join(", ");
}

/** `release 2 failed (exit 3) after 2.1 s, change #7; release 1 stays completed; pctl logs migrate --change 7`. */
export function whyFailed({ service, status }: ServiceStatus, run: JobRun, next: NextStep): string {
  const how =
    run.outcome === "unknown"
      ? "was started, and nobody saw how it ended"
      : ["failed", bracketed(ending(run))].join("");
  const took = run.outcome === "unknown" ? "" : tookText(run);
  const settled = status?.settled;
  const stays = settled?.completedAt === undefined ? "" : `; release ${settled.number} stays completed`;
  const before = settled?.number === run.release ? "" : stays;
  const change = run.change === undefined ? "" : `, change #${run.change}`;
  const logs = run.change === undefined ? next(`logs ${service}`) : next(`logs ${service} --change ${run.change}`);
  return `release ${run.release} ${how}${took}${change}${before}; ${logs}`;
}

/** `report: 0 3 * * * (UTC), next 2026-11-28 03:00:00 UTC, in 12 h; last run 11 h ago: completed, exit 0, in 2.1 s`. */
export function describeSchedule(service: string, status: InstanceStatus, nowMs: number): string {
  const { schedule, stopped } = status;
  if (schedule === undefined) return "";
  const { cron, timezone, nextAt, last, skippedAt } = schedule;
  const next =
    nextAt === undefined
      ? stopped
        ? "stopped"
        : "nothing begins it"
      : `next ${moment(nextAt)}, ${until(nextAt, nowMs)}`;
  const skipped = skippedAt === undefined ? "" : `; left out at ${moment(skippedAt)}: the run before went on`;
  return `${service}: ${cron} (${timezone}), ${next}${describeLast(last, nowMs)}${skipped}`;
}

function describeLast(last: JobRun | undefined, nowMs: number): string {
  if (last === undefined) return "; has not run yet";
  if (last.endedAt === undefined) return `; runs since ${age(last.startedAt, nowMs)}`;
  const took = elapsed(Date.parse(last.endedAt) - Date.parse(last.startedAt));
  return `; last run ${ago(last.startedAt, nowMs)}: ${runState(last)}, took ${took}`;
}

/** `2026-11-28 03:00:00 UTC`. */
function moment(iso: string): string {
  return `${iso.slice(0, 19).replace("T", " ")} UTC`;
}

function until(iso: string, nowMs: number): string {
  const text = age(new Date(nowMs).toISOString(), Date.parse(iso));
  return text === "now" ? text : `in ${text}`;
}

function bracketed(text: string): string {
  return text === "" ? "" : ` (${text})`;
}

function ending({ outcome, exitCode, signal, verdict, code }: JobRun): string {
  if (outcome === "running") return "";
  if (outcome === "unknown") return "end not seen";
  if (verdict === "START_TIMEOUT") return "timeout";
  if (verdict === "OOM") return "out of memory";
  if (signal !== undefined && signal !== null) return signal;
  if (exitCode !== undefined && exitCode !== null) return `exit ${exitCode}`;
  return verdict ?? code ?? "";
}

function tookText({ startedAt, endedAt }: JobRun): string {
  return endedAt === undefined ? "" : ` after ${elapsed(Date.parse(endedAt) - Date.parse(startedAt))}`;
}
