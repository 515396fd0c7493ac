import { isCtrlPlaneError } from "../errors/error.ts";
import type { RolloutDecision } from "../rollout/journal.ts";
import type { JobRun } from "../model/job-run.ts";

type RunEnd = Pick<JobRun, "outcome" | "exitCode" | "signal" | "verdict" | "code">;

/** How a job's deployment ended, where its attempt came to an end; undefined where nothing was tried, or nobody judged it yet. */
export function runEnd(decisions: readonly RolloutDecision[], error?: unknown): RunEnd | undefined {
  if (beganAt(decisions) === undefined) return undefined;
  if (error === undefined) return { outcome: "completed", exitCode: 0 };
  if (!isCtrlPlaneError(error)) return undefined;
  const { code, failure } = error;
  if (failure === undefined) return code === "FAILED" ? { outcome: "unknown" } : undefined;
  return {
    outcome: "failed",
    ...(failure.verdict === undefined ? { code } : { verdict: failure.verdict }),
    ...(failure.exitCode === undefined ? {} : { exitCode: failure.exitCode }),
    ...(failure.signal === undefined ? {} : { signal: failure.signal }),
  };
}

/** When its last attempt was begun; undefined where none was. */
export function beganAt(decisions: readonly RolloutDecision[]): string | undefined {
  return decisions.findLast((each) => each.kind === "attempt")?.at;
}
