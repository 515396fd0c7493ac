import type { ErrorCode, Verdict } from "../errors/codes.ts";

/** One run of a job: an attempt that a deploy began, or one that came by its schedule. */
export interface JobRun {
  /** Number of the release that ran. */
  readonly release: number;
  /** `dep_…`; its log can be read by it. */
  readonly deployment: string;
  /** The change that began it; absent where a schedule did. */
  readonly change?: number;
  /** `unknown`: it was started, and nobody saw how it ended. */
  readonly outcome: "running" | "completed" | "failed" | "unknown";
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; absent while it runs. */
  readonly endedAt?: string;
  /** Null where a signal ended it. */
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  /** Why it failed. */
  readonly verdict?: Verdict;
  /** Instead of a verdict: a call of the platform was refused, or went wrong. */
  readonly code?: ErrorCode;
}
