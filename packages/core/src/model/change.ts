import type { ErrorCode, Verdict } from "../errors/codes.ts";
import type { Diagnostic } from "../errors/diagnostic.ts";
import type { CutOverTraffic } from "./traffic.ts";

export type ChangeCommand =
  "deploy" | "destroy" | "rollback" | "scale" | "start" | "stop" | "restart" | "promote" | "abort" | "recover";

export type DeploymentOutcome =
  | "succeeded"
  | "paused"
  /** Failed, and the old release serves again (a failed first one is removed). */
  | "reverted"
  /** Failed, and not back on the old release. */
  | "failed"
  /** Not begun, because of what it depends on. */
  | "skipped"
  | "unchanged"
  | "removed"
  /** Not removed, because nobody confirmed it. */
  | "held"
  /** Its platform could not be reached. */
  | "unreachable";

export interface DeploymentResult {
  readonly service: string;
  readonly instance: string;
  readonly provider: string;
  /** `dep_…`; absent where nothing was begun. */
  readonly deployment?: string;
  readonly outcome: DeploymentOutcome;
  /** Number of the release that was sent. */
  readonly attempted?: number;
  /** Number of the release that serves now. */
  readonly serving?: number;
  readonly verdict?: Verdict;
  /** Of what failed without a verdict, or is unreachable: a call of the platform was refused, or went wrong. */
  readonly code?: ErrorCode;
  /** With the code of what is unreachable: what to do about it, one sentence. */
  readonly hint?: string;
  /** What clients met meanwhile; absent where nobody measured it. Of a deployment that was broken off and went on: since it went on. */
  readonly traffic?: CutOverTraffic;
  /** The service whose failure took this one back with it. */
  readonly because?: string;
  /** Where it is paused, and until when; without `until` it waits for a person. */
  readonly paused?: { readonly step: number; readonly until?: string };
  /** One sentence: why, where the outcome needs one. */
  readonly reason?: string;
  readonly elapsedMs: number;
}

export interface ChangeResult {
  readonly outcome: "succeeded" | "unchanged" | "failed" | "reverted" | "attention" | "interrupted";
  /** architecture.md §8. */
  readonly exitCode: number;
  readonly elapsedMs: number;
  readonly services: readonly DeploymentResult[];
  readonly diagnostics: readonly Diagnostic[];
  /** Where the stack can be reached now. */
  readonly addresses: readonly string[];
}

/** One run of a command over a stack; stored when it starts and, in a second record, when it ends. */
export interface Change {
  /** 1, 2, 3 … of its stack. */
  readonly number: number;
  readonly command: ChangeCommand;
  readonly stack: string;
  readonly environment?: string;
  readonly by: string;
  readonly host: string;
  readonly commit?: string;
  readonly message?: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  /** Absent while it runs, or when the process died. */
  readonly result?: ChangeResult;
}

/** Who changes a stack; kept with the change and shown to those who wait for its lease. */
export interface Actor {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
}
