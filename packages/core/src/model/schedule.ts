import type { JobRun } from "./job-run.ts";

/** The schedule of a job as its platform keeps it. */
export interface ScheduleStatus {
  /** As declared, e.g. `0 3 * * *`. */
  readonly cron: string;
  /** A name of the IANA database, e.g. `Europe/Berlin`. */
  readonly timezone: string;
  /** Number of the release that it runs. */
  readonly release: number;
  /** When the next run is due; absent while it is stopped, or nobody is there to begin it. ISO 8601. */
  readonly nextAt?: string;
  /** The run that goes on, else the one that ended last; absent before the first. */
  readonly last?: JobRun;
  /** When a run was last left out, because the one before went on. ISO 8601. */
  readonly skippedAt?: string;
}
