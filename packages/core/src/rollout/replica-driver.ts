import type { FailureDetail } from "../errors/error.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { ObservedInstance, ReplicaStatus, SettledRelease } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { CutOverTraffic } from "../model/traffic.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { ExecRequest, ExecSession, LogLine, LogsRequest, ResourceUsage } from "../provider/requests.ts";

/** A replica on a platform that starts and stops them one by one. */
export interface Replica extends ReplicaStatus {
  /** The platform's id. */
  readonly id: string;
  /** The deployment that created it. */
  readonly deployment: string;
  /** True where it is not what it was made any more (`ObservedInstance.altered`): a rollout replaces it, as one of an older revision. */
  readonly isAltered?: boolean;
  /** Monotonic age of its readiness in milliseconds; absent while it is not ready. */
  readonly readyForMs?: number;
  /** Made and, as far as the platform knows, never started: whoever made it may have died over it. `create` is asked for it again before it is started. */
  readonly isUnstarted?: boolean;
  /** Made by pctl 1.1 and taken over (`Provider.adopt`): listed until a release is settled, stopped ones too. */
  readonly isAdopted?: boolean;
}

/** What became of the run of a replica that is a job. */
export type ReplicaEnd =
  /** It was never started. Said only where that is certain, also after the platform itself died. */
  | { readonly state: "unstarted" }
  /** It ended with exit code 0. `at`: ISO 8601. */
  | { readonly state: "completed"; readonly at: string }
  /** It ended otherwise, or could not be started. */
  | { readonly state: "failed"; readonly message: string; readonly failure: FailureDetail; readonly hint?: string }
  /** It was started, and nobody saw how it ended. */
  | { readonly state: "unknown" };

export interface RoutedSet {
  /** The release whose ports and domains are published. */
  readonly release: Release;
  /** Replicas that get traffic, by id, and the share of each in percent; they add up to 100 unless empty. */
  readonly targets: Readonly<Record<string, number>>;
  /** What `settle` is called with next. It may be recorded in one with the set: where that was written, `settle` finds it done. */
  readonly settled?: SettledRelease;
}

/**
 * What a platform of machines offers: single replicas that are created, started, stopped and removed. Core builds a
 * `RevisionDriver` and the whole of deploy, rollback, scale, start, stop and restart from it (`machineProvider`). Every method
 * is idempotent: what is already so is success, absent on `stop` and `remove` too.
 */
export interface ReplicaDriver {
  /** All replicas of the instance, oldest first, those that ended included while they are kept. */
  list(instance: InstanceIdentity, context: ProviderContext): Promise<readonly Replica[]>;
  /** What `Provider.list` says of this instance, apart from its replicas; undefined where nothing of it exists. */
  instance(
    instance: InstanceIdentity,
    context: ProviderContext,
  ): Promise<Omit<ObservedInstance, "revisions" | "state" | "restarts"> | undefined>;
  /** Makes what does not run yet (`starting` or `stopped` until `start`). One (deployment, revision key, ordinal) is there once, however often this is called; one that was never started may be made anew. */
  create(
    request: {
      readonly release: Release;
      readonly ordinal: number;
      readonly replicas: number;
      readonly deployment: string;
    },
    context: ProviderContext,
  ): Promise<Replica>;
  /** Also starts one that ended, in its place; its log goes on. What runs already is success. */
  start(replica: Replica, context: ProviderContext): Promise<void>;
  /**
   * Resolves when it passed its gate. Throws `FAILED` with verdict, exit code and last log lines as soon as it cannot,
   * `START_TIMEOUT`, `PORT_CLOSED` or `UNHEALTHY` after `timeoutMs`.
   */
  waitReady(
    replica: Replica,
    release: Release,
    options: { readonly timeoutMs: number },
    context: ProviderContext,
  ): Promise<void>;
  /**
   * Jobs: resolves with how it ended; at once where it does not run. Throws `CANCELLED` with the signal; the replica runs on.
   * `create` and `start` keep promises of their own for a job: its record outlives a crash of the platform before it is
   * started, and `start` starts none that ran already, unless it was stopped. Absent: `check` refuses jobs.
   */
  waitEnd?(replica: Replica, context: ProviderContext): Promise<ReplicaEnd>;
  /**
   * Jobs by schedule: exactly this is registered. When it returns, the platform itself begins `release` at every time of
   * `release.spec.job`, whoever lives or dies, and `instance` shows it. Each run is a replica of `deployment`, recorded before it is
   * started; what has ended is gone from `list`, its log stays for a while. With `overlap: skip` none is begun while any replica of
   * the instance that is a job runs, also one of an earlier release; none is begun while it is marked stopped. Times
   * that nobody was there for are not made up for. `undefined`: nothing is begun any more; a run that goes on is left to end. Absent:
   * `check` refuses schedules.
   */
  schedule?(
    instance: InstanceIdentity,
    set: { readonly release: Release; readonly deployment: string } | undefined,
    context: ProviderContext,
  ): Promise<void>;
  /**
   * Resolves when it has been ready for `ms` without a break; throws `FAILED` as soon as it ended, restarted or lost its health, or
   * `UNAVAILABLE` where that was not its program's doing and says nothing of its release.
   */
  outlive(replica: Replica, ms: number, context: ProviderContext): Promise<void>;
  /**
   * Exactly this set is routed, in one atomic change; undefined: nothing is published. Services without ports are routed too: the
   * set is remembered, and says which replicas serve. A target that is not ready gets traffic once it is. Returns when
   * new connections and requests follow it. Throws `FAILED` `PORT_IN_USE`.
   */
  route(instance: InstanceIdentity, set: RoutedSet | undefined, context: ProviderContext): Promise<void>;
  /**
   * Begins to count what clients meet at the instance; the function that it resolves with tells what they met since then, undefined
   * where that is not known any more. Absent: the platform does not know.
   */
  measure?(
    instance: InstanceIdentity,
    context: ProviderContext,
  ): Promise<(() => Promise<CutOverTraffic | undefined>) | undefined>;
  /** `RevisionDriver.restore`, for replicas that are adopted. */
  restore?(instance: InstanceIdentity, context: ProviderContext): Promise<boolean>;
  /** What is routed now: replica id → percent. */
  routed(instance: InstanceIdentity, context: ProviderContext): Promise<Readonly<Record<string, number>>>;
  /** Resolves when no request or connection to it is open, or after `timeoutMs`, with what is left then closed. It is not routed any more. */
  drain(replica: Replica, options: { readonly timeoutMs: number }, context: ProviderContext): Promise<void>;
  /** Signal, grace, SIGKILL; returns when it has ended. */
  stop(
    replica: Replica,
    options: { readonly signal?: string; readonly graceMs: number },
    context: ProviderContext,
  ): Promise<void>;
  /** Gone from `list`. Its logs can still be read by deployment. Throws `CONFLICT` where it runs. */
  remove(replica: Replica, context: ProviderContext): Promise<void>;
  /** Health, stop and restart policy of a running replica become the release's. */
  configure(replica: Replica, release: Release, context: ProviderContext): Promise<void>;
  settle(instance: InstanceIdentity, settled: SettledRelease | undefined, context: ProviderContext): Promise<void>;
  /** Records that `stop` was asked for, or no longer is. */
  markStopped(instance: InstanceIdentity, stopped: boolean, context: ProviderContext): Promise<void>;
  logs(request: LogsRequest, context: ProviderContext): AsyncIterable<LogLine>;
  exec(replica: Replica, request: ExecRequest, context: ProviderContext): Promise<ExecSession>;
  usage(replicas: readonly Replica[], context: ProviderContext): Promise<ResourceUsage>;
}
