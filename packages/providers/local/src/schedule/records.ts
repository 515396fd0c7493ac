import type { JobRun } from "@ctrlplane/core/provider";
import type { CreateReplica } from "../supervisor/operations.ts";

/** When a job runs, and what holds while a run goes on. */
export interface JobTimes {
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: "skip" | "allow";
  /** How long a run may take. Absent: as long as it needs. */
  readonly timeoutMs?: number;
}

/** What a provider registers. */
export interface ScheduleRequest extends JobTimes {
  /** What each run is made of; each has an id of its own. */
  readonly run: CreateReplica;
}

/** `instances/<name>/schedule.json`: what the supervisor runs, whoever started it. Replaced as a whole and flushed. */
export interface ScheduleRecord extends JobTimes {
  /** Its environment is in `environment`. */
  readonly run: Omit<CreateReplica, "env">;
  /** Sealed. */
  readonly environment: string;
  /** Milliseconds since the epoch: no time before it counts. */
  readonly registeredAt: number;
}

/** `instances/<name>/runs.json`: written before a run is begun, and when it has ended. */
export interface RunsRecord {
  /** The time that was last acted on, by a run or by leaving it out; milliseconds since the epoch. */
  readonly actedAt?: number;
  /** The run that ended last. */
  readonly last?: JobRun;
  /** ISO 8601. */
  readonly skippedAt?: string;
}
