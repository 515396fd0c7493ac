import type { PlanAction } from "../model/plan.ts";
import { actionKey, type DesiredInstance, type PlanInput } from "./input.ts";

/**
 * The graph: a service after what it needs, one that takes over a published address after the one that gives it up,
 * removals after everything else. Needs have no cycle (the configuration refuses them); an address that would close one is left out.
 */
export function order(actions: readonly PlanAction[], input: PlanInput): PlanAction[] {
  const acting = new Map(
    actions.filter((action) => action.kind !== "keep" && action.kind !== "hold").map((each) => [each.key, each]),
  );
  const desired = new Map(input.desired.map((each) => [actionKey(each.instance), each]));
  const after = new Map<string, Set<string>>(actions.map((action) => [action.key, new Set<string>()]));
  const actingKeys = Map.groupBy(
    [...desired].filter(([key]) => acting.has(key)),
    ([, each]) => each.instance.service,
  );
  for (const [key, each] of desired) {
    if (!acting.has(key)) continue;
    for (const need of each.needs) for (const [other] of actingKeys.get(need) ?? []) after.get(key)?.add(other);
  }
  if (input.goal === "nothing") orderDestruction(actions, input, after);
  const early = addressOrder(actions, input, desired, after);
  const others = actions
    .filter((action) => action.kind !== "remove" && acting.has(action.key))
    .map((action) => action.key);
  for (const action of actions) {
    if (action.kind !== "remove" || early.has(action.key)) continue;
    for (const key of others) after.get(action.key)?.add(key);
  }
  return actions.map((action) => {
    const notes = early.has(action.key) ? [...action.notes, "goes first: its address is taken over"] : action.notes;
    return { ...action, notes, after: [...(after.get(action.key) ?? [])].sort() };
  });
}

/** What needs another goes before it. */
function orderDestruction(
  actions: readonly PlanAction[],
  input: PlanInput,
  after: ReadonlyMap<string, Set<string>>,
): void {
  const byService = Map.groupBy(actions, (action) => action.instance.service);
  for (const other of actions) {
    for (const need of input.needs.get(other.instance.service) ?? []) {
      for (const action of byService.get(need) ?? []) after.get(action.key)?.add(other.key);
    }
  }
}

/** Adds edges for addresses that change hands; returns the removals that have to come early because of them. */
function addressOrder(
  actions: readonly PlanAction[],
  input: PlanInput,
  desired: ReadonlyMap<string, DesiredInstance>,
  after: Map<string, Set<string>>,
): Set<string> {
  const early = new Set<string>();
  const holders = new Map<string, PlanAction>();
  for (const action of actions) {
    if (action.kind === "keep" || action.kind === "hold") continue;
    for (const address of input.known.get(action.key)?.observed?.addresses ?? []) {
      holders.set(`${action.instance.platformId} ${portOf(address)}`, action);
    }
  }
  for (const [key, each] of desired) {
    for (const address of each.publishes) {
      const holder = holders.get(`${each.instance.platformId} ${portOf(address)}`);
      if (holder === undefined || holder.key === key || reaches(holder.key, key, after)) continue;
      after.get(key)?.add(holder.key);
      if (holder.kind === "remove") early.add(holder.key);
    }
  }
  return early;
}

/** Of `0.0.0.0:8080` and of addresses for people, e.g. `http://shop.example.com/api`. */
function portOf(address: string): string {
  const authority = /^(?:\w+:\/\/)?([^/]+)/.exec(address)?.[1] ?? address;
  return /:(\d+)$/.exec(authority)?.[1] ?? (address.startsWith("http://") ? "80" : address);
}

/** Does `from` wait, directly or through others, for `to`? */
function reaches(
  from: string,
  to: string,
  after: ReadonlyMap<string, ReadonlySet<string>>,
  seen = new Set<string>(),
): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  // Who waits for one instance of a service may wait for all of them.
  const service = `${from.split("@")[0] ?? from}@`;
  const peers = [...after.keys()].filter((key) => key.startsWith(service));
  return [...peers, ...peers.flatMap((key) => [...(after.get(key) ?? [])])].some((next) =>
    reaches(next, to, after, seen),
  );
}
