import type { JobRun, ServiceStatus } from "@ctrlplane/core";
import type { NextStep } from "./next-step.ts";
import type { Tone } from "./paint.ts";
import { elapsed } from "./time.ts";

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
  const how = run.outcome === "unknown" ? "was started, and nobody saw how it ended" : `failed (${ending(run)})`;
  const took = run.outcome === "unknown" ? "" : tookText(run);
  const settled = status?.settled;
  const before =
    settled === undefined || settled.number === run.release ? "" : `; release ${settled.number} stays completed`;
  const change = run.change === undefined ? "" : `, change #${run.change}`;
  const logs = run.change === undefined ? next(`logs ${service}`) : next(`logs ${service} --change ${run.change}`);
  return `release ${run.release} ${how}${took}${change}${before}; ${logs}`;
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
