import type { ReplicaEnd } from "@ctrlplane/core/provider";
import { failed, outOfMemory, startFailure } from "./gate.ts";
import type { SupervisedReplica } from "./replica.ts";

/** How a job that does not run ended. */
export function jobEnd(replica: SupervisedReplica): ReplicaEnd {
  const { state } = replica;
  if (state.run === 0) return { state: "unstarted" };
  const unstarted = startFailure(replica);
  if (unstarted !== undefined) return failedEnd(unstarted);
  const end = state.lastEnd;
  if (end?.run !== state.run || end.unknown) return { state: "unknown" };
  if (end.code === 0) return { state: "completed", at: end.at };
  if (end.oom) return failedEnd(outOfMemory(replica));
  const how = end.signal === null ? `exit code ${String(end.code)}` : end.signal;
  return failedEnd(failed(replica, "EXITED", `ended with ${how}`));
}

function failedEnd(error: ReturnType<typeof failed>): ReplicaEnd {
  const { message, hint, failure = { verdict: "EXITED" } } = error;
  return { state: "failed", message, failure, ...(hint === undefined ? {} : { hint }) };
}
