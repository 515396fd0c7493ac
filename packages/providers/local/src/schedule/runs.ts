import type { JobRun } from "@ctrlplane/core/provider";
import { readVolatileJson } from "../process/json-file.ts";
import type { Fleet } from "../supervisor/fleet.ts";
import { jobEnd } from "../supervisor/job-end.ts";
import type { CreateReplica } from "../supervisor/operations.ts";
import type { RunRecord } from "../supervisor/records.ts";
import type { SupervisedReplica } from "../supervisor/replica.ts";

/** One run of a job: it goes on, or has ended and is still there. */
export interface Run {
  readonly id: string;
  readonly isRunning: boolean;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  /** Resolves with what became of it, once it does not go on; undefined where it was never started. `timeoutMs`: how long it might take. */
  ended(timeoutMs: number | undefined): Promise<JobRun | undefined>;
  stop(): Promise<void>;
}

/** What a scheduler works with. */
export interface Runs {
  /** Those of an instance, attempts that a deploy made included. */
  of(instance: string): readonly Run[];
  /** On record before it starts. Resolves when it runs, or could not be started. One id is begun once. */
  begin(request: CreateReplica): Promise<void>;
  /** Its log goes to the archive. Absent is success. */
  remove(id: string): Promise<void>;
}

/** Runs are replicas that are not started again. */
export function fleetRuns(fleet: Fleet): Runs {
  return {
    of: (instance) =>
      fleet
        .all()
        .filter(({ record }) => record.instance === instance && record.policy.restart === "never")
        .map(runOf),
    async begin(request) {
      const { id } = request.replica;
      await fleet.create(request);
      await fleet.inTurn(id, async () => fleet.find(id)?.start());
    },
    remove: (id) => fleet.remove(id),
  };
}

function runOf(replica: SupervisedReplica): Run {
  const { record } = replica;
  return {
    id: record.id,
    isRunning: replica.isKept,
    beganAt: beganAt(replica),
    async ended(timeoutMs) {
      await replica.changes.until(() => !replica.isKept);
      return endOf(replica, timeoutMs);
    },
    stop: () => replica.stop(record.policy.stop),
  };
}

function beganAt({ files, record }: SupervisedReplica): number {
  return Date.parse(readVolatileJson<RunRecord>(files.run)?.startedAt ?? record.createdAt);
}

function endOf(replica: SupervisedReplica, timeoutMs: number | undefined): JobRun | undefined {
  const { record, state } = replica;
  const end = jobEnd(replica);
  if (end.state === "unstarted") return undefined;
  const startedMs = beganAt(replica);
  const endedAt = state.lastEnd?.at ?? new Date().toISOString();
  const of = { release: record.releaseNumber, deployment: record.deployment };
  const base = { ...of, startedAt: new Date(startedMs).toISOString(), endedAt };
  if (end.state === "completed") return { ...base, outcome: "completed", exitCode: 0 };
  if (end.state === "unknown") return { ...base, outcome: "unknown" };
  const { exitCode = null, signal = null, verdict = "EXITED" } = end.failure;
  // It was told to stop, and its time was over.
  const isLate =
    timeoutMs !== undefined && record.desired === "stopped" && Date.parse(endedAt) - startedMs >= timeoutMs;
  return { ...base, outcome: "failed", exitCode, signal, verdict: isLate ? "START_TIMEOUT" : verdict };
}
