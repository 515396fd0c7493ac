import { leastReplicas, type InstanceState, type ObservedInstance, type ObservedRevision } from "../model/observed.ts";
import { revisionKey } from "../model/release.ts";
import { isRunning } from "./ensure-replicas.ts";
import type { Replica } from "./replica-driver.ts";

/** What is known of an instance of machines apart from its replicas. */
export interface InstanceBase extends Omit<ObservedInstance, "revisions" | "state" | "restarts"> {
  /** Nothing comes through to what is routed, so nobody is served. Default false. */
  readonly isCutOff?: boolean;
}

/** Percent of the traffic by replica id. */
export type RoutedShares = Readonly<Record<string, number>>;

/** An instance as `list` and `status` show it: what its replicas say, added to the rest. Pure. */
export function describeInstance(
  { isCutOff = false, ...base }: InstanceBase,
  replicas: readonly Replica[],
  routed: RoutedShares,
): ObservedInstance {
  const revisions = revisionsOf(replicas, routed);
  const state = base.settled?.schedule === undefined ? stateOf(base, revisions) : scheduledState(base, replicas);
  return {
    ...base,
    revisions,
    state: isCutOff && state === "serving" ? "down" : state,
    restarts: replicas.reduce((sum, each) => sum + each.restarts, 0),
  };
}

/** Revisions by their replicas, oldest first. A replica that was stopped is not meant to run, one that ended by itself is. */
export function revisionsOf(replicas: readonly Replica[], routed: RoutedShares): readonly ObservedRevision[] {
  const groups = Map.groupBy(replicas, revisionKey);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return {
      replicaHash: first.replicaHash,
      generation: first.generation,
      desired: group.filter((each) => each.state !== "stopped").length,
      ready: group.filter((each) => each.state === "ready").length,
      weight: group.reduce((sum, each) => sum + (routed[each.id] ?? 0), 0),
      restarts: group.reduce((sum, each) => sum + each.restarts, 0),
    };
  });
}

function scheduledState({ stopped }: InstanceBase, replicas: readonly Replica[]): InstanceState {
  if (replicas.some(isRunning)) return "running";
  return stopped ? "stopped" : "scheduled";
}

function stateOf(base: InstanceBase, revisions: readonly ObservedRevision[]): InstanceState {
  const { settled, stopped, isLegacy } = base;
  if (settled?.completedAt !== undefined) return "completed";
  const wanted = leastReplicas(base);
  if (stopped || wanted === 0) return "stopped";
  const all = revisions.reduce(
    (sum, each) => ({ desired: sum.desired + each.desired, ready: sum.ready + each.ready }),
    {
      desired: 0,
      ready: 0,
    },
  );
  if (isLegacy === true && all.ready > 0 && all.ready === all.desired) return "serving";
  if (settled === undefined || wanted === undefined)
    return revisions.some((each) => each.ready > 0) ? "degraded" : "down";
  const ready = revisions.find((each) => revisionKey(each) === revisionKey(settled))?.ready ?? 0;
  if (ready >= wanted) return "serving";
  return revisions.some((each) => each.ready > 0) ? "degraded" : "down";
}
