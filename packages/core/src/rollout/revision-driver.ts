import type { SettledRelease } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { ProviderContext } from "../provider/context.ts";

/** A revision as it is on the platform. */
export interface RevisionState {
  /** `revisionKey`. */
  readonly key: string;
  readonly desired: number;
  readonly ready: number;
  /** Percent of the traffic. */
  readonly weight: number;
  /** Milliseconds for which the youngest of its ready replicas has been ready. */
  readonly readyForMs: number;
  /** Restarts of its replicas by the platform, summed; absent where the platform does not tell. */
  readonly restarts?: number;
}

export interface RolloutState {
  readonly revisions: readonly RevisionState[];
  readonly settled?: SettledRelease;
  readonly stopped: boolean;
  /** `revisionKey` of what was taken over from pctl 1.1 and is there still, stopped or not: the way back of a first release that fails. */
  readonly adopted?: string;
}

/** Shares of the traffic by revision key; percents that add up to 100, or an empty object: nobody gets any. */
export type Weights = Readonly<Record<string, number>>;

/** `autoscaled`: the platform itself changes the count within the range. Elsewhere one of its ends counts. */
export type RangeMeaning = "minimum" | "maximum" | "autoscaled";

/**
 * What a strategy needs of a platform, for one instance. Strategies are written once over it. Every method observes first and
 * does only what is missing, so that each may be repeated after a crash at any point; each returns when its
 * effect is true. While `ensure` and `weigh` of a new revision run, `outlive` of it and `retire` of an old one may run too.
 */
export interface RevisionDriver {
  /** What a range of replicas means here. Default: its minimum. */
  readonly rangeMeans?: RangeMeaning;
  observe(context: ProviderContext): Promise<RolloutState>;
  /**
   * At least `replicas` of the release's revision exist, run, and have passed their gate. Does not route. Adds only; fewer is
   * `retire`'s. Throws `FAILED` with a verdict as soon as one cannot become ready, at the latest after `timeoutMs`.
   */
  ensure(
    release: Release,
    replicas: number,
    options: { readonly timeoutMs: number },
    context: ProviderContext,
  ): Promise<void>;
  /**
   * The release's ports and domains are published, and its traffic is shared so. One atomic change. Absent: the platform routes by itself.
   * `settled`: what `settle` is called with next, where nothing comes in between; it may be recorded in one with the rest.
   */
  weigh?(
    release: Release,
    weights: Weights,
    options: { readonly settled?: SettledRelease },
    context: ProviderContext,
  ): Promise<void>;
  /** Only `keep` replicas of the revision are left: the others were unrouted, drained, stopped and removed. Their logs stay. */
  retire(
    key: string,
    options: { readonly keep: number; readonly drainMs: number; readonly signal?: string; readonly graceMs: number },
    context: ProviderContext,
  ): Promise<void>;
  /** Resolves when the revision's replicas have been ready for `ms`; throws `FAILED` with a verdict as soon as one has ended or restarted. */
  outlive(release: Release, ms: number, context: ProviderContext): Promise<void>;
  /**
   * What was taken over from pctl 1.1 runs again as it did, at its own ports; nothing of a release is routed. Resolves with whether all
   * of it runs. Absent: nothing is taken over here.
   */
  restore?(context: ProviderContext): Promise<boolean>;
  /** What concerns running replicas without replacing them (health, stop, restart policy) is the release's. Absent: nothing does. */
  configure?(release: Release, context: ProviderContext): Promise<void>;
  /** Records what this instance serves from now on; `list` returns it. Clears `stopped`. */
  settle(settled: SettledRelease, context: ProviderContext): Promise<void>;
  /** The platform does this whole rollout by itself, and better. Same promise as `Provider.deploy`. */
  handOver?: (release: Release, replicas: number, context: ProviderContext) => Promise<void>;
}
