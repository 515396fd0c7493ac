import type { ReplicaCount } from "../model/resources.ts";
import type { Batch } from "../model/spec.ts";
import type { RangeMeaning, RolloutState } from "./revision-driver.ts";

/** How many replicas a count means where no autoscaler is at work. */
export function fixedReplicas(count: ReplicaCount, means: Exclude<RangeMeaning, "autoscaled">): number {
  if (typeof count === "number") return count;
  return means === "minimum" ? count.min : count.max;
}

/** How many replicas a count means now. What an autoscaler chose stays as long as it lies within the range. */
export function decideReplicas(count: ReplicaCount, seen: RolloutState, means: RangeMeaning): number {
  if (means !== "autoscaled" || typeof count === "number")
    return fixedReplicas(count, means === "maximum" ? means : "minimum");
  // In the middle of a rollout the counts of both revisions are partial; the greater is nearer to what was chosen.
  const chosen = Math.max(0, ...seen.revisions.map((each) => each.desired));
  return Math.min(count.max, Math.max(count.min, chosen));
}

/** Replicas at a time, at least 1. */
export function batchSize(batch: Batch, replicas: number): number {
  const size = "count" in batch ? batch.count : Math.ceil((batch.percent / 100) * replicas);
  return Math.max(1, Math.min(size, replicas));
}
