import type { JobRun } from "@ctrlplane/core/provider";
import { readVolatileJson } from "../process/json-file.ts";
import { jobEnd } from "../supervisor/job-end.ts";
import type { RunRecord } from "../supervisor/records.ts";
import type { SupervisedReplica } from "../supervisor/replica.ts";

/** When a run that was begun began, milliseconds since the epoch. */
export function beganAt(replica: SupervisedReplica): number {
  const run = readVolatileJson<RunRecord>(replica.files.run);
  return Date.parse(run?.startedAt ?? replica.record.createdAt);
}

/** What became of a run that does not go on; undefined where it was never started. */
export function endedRun(replica: SupervisedReplica, timeoutMs: number | undefined): JobRun | undefined {
  const { record, state } = replica;
  const end = jobEnd(replica);
  if (end.state === "unstarted") return undefined;
  const startedMs = beganAt(replica);
  const endedAt = state.lastEnd?.at ?? new Date().toISOString();
  const base = {
    release: record.releaseNumber,
    deployment: record.deployment,
    startedAt: new Date(startedMs).toISOString(),
    endedAt,
  };
  if (end.state === "completed") return { ...base, outcome: "completed", exitCode: 0 };
  if (end.state === "unknown") return { ...base, outcome: "unknown" };
  const { exitCode = null, signal = null, verdict } = end.failure;
  // It was told to stop, and its time was over.
  const isLate =
    timeoutMs !== undefined && record.desired === "stopped" && Date.parse(endedAt) - startedMs >= timeoutMs;
  return { ...base, outcome: "failed", exitCode, signal, verdict: isLate ? "START_TIMEOUT" : verdict };
}
