import type { Change, ChangeCommand, DeploymentResult } from "./model/change.ts";
import type { Event } from "./model/event.ts";
import type { ChangeOptions, AdvanceOptions, ReleaseSummary, Run } from "./control-plane.ts";

/** One instance's part in a change, as it is on record. */
export interface Deployment extends Omit<DeploymentResult, "deployment" | "outcome" | "elapsedMs"> {
  /** `dep_…`. */
  readonly id: string;
  readonly stack: string;
  readonly change: number;
  readonly command: ChangeCommand;
  /** `unfinished`: begun, and its change has no end on record: it goes on now, or its process died. */
  readonly outcome: DeploymentResult["outcome"] | "unfinished";
  /** ISO 8601, of its change. */
  readonly startedAt: string;
  readonly finishedAt?: string;
}

/** Deployments by id. All of it stands on `Stacks`. Every method throws `NOT_FOUND` for an unknown id. */
export interface Deployments {
  get(id: string): Promise<Deployment>;
  /** Of one instance, newest first; of its last `limit` changes (default 20). */
  list(instanceId: string, options?: { readonly limit?: number }): Promise<readonly Deployment[]>;
  /**
   * Events of its change after number `after` (default 0), in order and without gaps, to the last one: as they come where the change goes on in
   * this process, else once its end is on record. `signal` ends it early.
   */
  watch(id: string, options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<Event>;
  /** Goes on with what is paused. Throws `CONFLICT` where it is not. */
  promote(id: string, options?: AdvanceOptions): Promise<Run<Change>>;
  /** Takes back what is paused. Throws `CONFLICT` where it is not. */
  abort(id: string, options?: ChangeOptions): Promise<Run<Change>>;
}

export interface Releases {
  /** Newest first. */
  list(instanceId: string): Promise<readonly ReleaseSummary[]>;
}
