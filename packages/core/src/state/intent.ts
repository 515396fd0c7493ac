import type { ChangeCommand, DeploymentOutcome } from "../model/change.ts";
import type { SettledRelease } from "../model/observed.ts";
import type { ReplicaCount } from "../model/resources.ts";
import type { CutOverTraffic } from "../model/traffic.ts";
import type { StrategyName } from "../model/spec.ts";
import type { JobRun } from "../model/job-run.ts";
import type { Verdict } from "../errors/codes.ts";
import type { RolloutDecision } from "../rollout/journal.ts";

/**
 * What a deployment is about to do, written before its first effect and cleared after its last: one that is found was not
 * finished. One for a service in a ledger: two providers on one platform are one instance.
 */
export interface Intent {
  /** `dep_…`. */
  readonly deployment: string;
  readonly change: number;
  readonly service: string;
  /** `inst_…`. */
  readonly instance: string;
  readonly command: ChangeCommand;
  /** Release that served when it began. */
  readonly from?: number;
  /** Release that is to serve. Absent: a removal. */
  readonly to?: number;
  /** What it brings is a job. Absent: it is not, or this was written before there was this field. */
  readonly isJob?: true;
  readonly strategy: StrategyName;
  readonly replicas: ReplicaCount;
  readonly scaledBy?: SettledRelease["scaledBy"];
  /** Of the lease under which it was written last. */
  readonly epoch: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Oldest first. */
  readonly decisions: readonly RolloutDecision[];
}

/** A deployment that has ended. */
export interface DeploymentRecord {
  /** `dep_…`. */
  readonly id: string;
  readonly change: number;
  readonly service: string;
  readonly from?: number;
  readonly to?: number;
  readonly outcome: DeploymentOutcome;
  readonly verdict?: Verdict;
  /** What clients met meanwhile; absent where nobody measured it. */
  readonly traffic?: CutOverTraffic;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** How the last run of a job ended that a deploy began: what the platform keeps of it says nothing of one that failed. */
export interface RunRecord extends JobRun {
  readonly service: string;
  /** Of the lease under which it was written. */
  readonly epoch: number;
}
