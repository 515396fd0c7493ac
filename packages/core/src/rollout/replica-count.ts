import type { ReplicaCount } from "../model/resources.ts";
import type { Batch } from "../model/spec.ts";
import type { RolloutState } from "./revision-driver.ts";

/**
 * How many replicas a count means now. A range belongs to the platform's autoscaler: what it chose stays as long as it lies
 * within. Where no autoscaler is at work (`autoscales` false) a range means its minimum.
 */
export function decideReplicas(count: ReplicaCount, seen: RolloutState, autoscales: boolean): number {
  if (typeof count === "number") return count;
  if (!autoscales) return count.min;
  // In the middle of a rollout the counts of both revisions are partial; the greater is nearer to what was chosen.
  const chosen = Math.max(0, ...seen.revisions.map((each) => each.desired));
  return Math.min(count.max, Math.max(count.min, chosen));
}

/** Replicas at a time, at least 1. */
export function batchSize(batch: Batch, replicas: number): number {
  const size = "count" in batch ? batch.count : Math.ceil((batch.percent / 100) * replicas);
  return Math.max(1, Math.min(size, replicas));
}
