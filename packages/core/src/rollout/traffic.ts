import { revisionKey } from "../model/release.ts";
import type { RoutedShares } from "./describe-instance.ts";
import type { Replica } from "./replica-driver.ts";
import type { Weights } from "./revision-driver.ts";

/**
 * Each revision's share, divided evenly over its ready replicas. A revision without a ready one is left out, as long as another
 * has one; if none has, all that exist are targets, so that whichever recovers serves. Adds up to 100, or is empty.
 */
export function targetsOf(weights: Weights, replicas: readonly Replica[]): RoutedShares {
  const ready = replicas.filter((each) => each.state === "ready");
  return spread(weights, ready) ?? spread(weights, replicas) ?? {};
}

/** What stays routed when `leaving` go: their share falls to the others of their revision, or without any to all others. */
export function withoutReplicas(
  routed: RoutedShares,
  replicas: readonly Replica[],
  leaving: readonly Replica[],
): RoutedShares {
  const isLeaving = new Set(leaving.map((each) => each.id));
  const weights: Record<string, number> = {};
  for (const each of replicas) {
    const key = revisionKey(each);
    weights[key] = (weights[key] ?? 0) + (routed[each.id] ?? 0);
  }
  return (
    spread(
      weights,
      replicas.filter((each) => each.id in routed && !isLeaving.has(each.id)),
    ) ?? {}
  );
}

function spread(weights: Weights, replicas: readonly Replica[]): RoutedShares | undefined {
  const groups = Map.groupBy(replicas, revisionKey);
  const shares = [...groups].filter(([key]) => (weights[key] ?? 0) > 0);
  const total = shares.reduce((sum, [key]) => sum + (weights[key] ?? 0), 0);
  if (total === 0) return undefined;
  const targets: Record<string, number> = {};
  let left = 100;
  for (const [key, group] of shares) {
    for (const each of group) {
      targets[each.id] = (100 * (weights[key] ?? 0)) / total / group.length;
      left -= targets[each.id] ?? 0;
    }
  }
  // Thirds do not add up in binary fractions: the last one takes the rest.
  const last = Object.keys(targets).at(-1);
  if (last !== undefined) targets[last] = (targets[last] ?? 0) + left;
  return targets;
}
