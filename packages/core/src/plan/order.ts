import type { PlanAction } from "../model/plan.ts";
import { isSuccessor, portKey, portOf } from "./host-ports.ts";
import { actionKey, type DesiredInstance, type KnownInstance, type PlanInput } from "./input.ts";

/** What has to be known of a plan to put its actions in order. */
export interface OrderInput extends Pick<PlanInput, "known" | "hosts" | "goal" | "needs"> {
  readonly desired: readonly OrderedInstance[];
}

/** What is to be brought up, as far as it matters to others. */
export type OrderedInstance = Pick<DesiredInstance, "instance" | "publishes" | "needs"> & {
  readonly spec: Pick<DesiredInstance["spec"], "formerly">;
};

/**
 * The graph: a service after what it needs, one that takes over a published address after the one that gives it up (from its
 * own predecessor it takes it while it is brought up), removals after everything else. Needs have no cycle (the configuration refuses them); an address that would close one is left out.
 */
export function order(actions: readonly PlanAction[], input: OrderInput): PlanAction[] {
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
  const { early, takesOver } = addressOrder(actions, input, desired, after);
  const others = actions
    .filter((action) => action.kind !== "remove" && acting.has(action.key))
    .map((action) => action.key);
  for (const action of actions) {
    if (action.kind !== "remove" || early.has(action.key)) continue;
    for (const key of others) after.get(action.key)?.add(key);
  }
  return actions.map((action) => {
    const from = takesOver.get(action.key);
    const notes = [
      ...action.notes,
      ...(early.has(action.key) ? ["goes first: its address is taken over"] : []),
      ...(from === undefined ? [] : [describeGap(from, action)]),
    ];
    const taken = from === undefined ? {} : { takesOver: from.map((each) => each.key) };
    return { ...action, notes, after: [...(after.get(action.key) ?? [])].sort(), ...taken };
  });
}

/** What needs another goes before it. */
function orderDestruction(
  actions: readonly PlanAction[],
  input: OrderInput,
  after: ReadonlyMap<string, Set<string>>,
): void {
  const byService = Map.groupBy(actions, (action) => action.instance.service);
  for (const other of actions) {
    for (const need of input.needs.get(other.instance.service) ?? []) {
      for (const action of byService.get(need) ?? []) after.get(action.key)?.add(other.key);
    }
  }
}

/** Adds edges for addresses that change hands; returns the removals that have to come early because of them, and those that stop for their successor. */
function addressOrder(
  actions: readonly PlanAction[],
  input: OrderInput,
  desired: ReadonlyMap<string, OrderedInstance>,
  after: Map<string, Set<string>>,
): { early: ReadonlySet<string>; takesOver: ReadonlyMap<string, readonly PlanAction[]> } {
  const early = new Set<string>();
  const takesOver = new Map<string, PlanAction[]>();
  const holders = new Map<string, PlanAction>();
  for (const action of actions) {
    if (action.kind === "keep" || action.kind === "hold") continue;
    for (const address of input.known.get(action.key)?.observed?.addresses ?? []) {
      holders.set(portKey(input, action.instance, address), action);
    }
  }
  for (const [key, each] of desired) {
    if (after.get(key) === undefined) continue;
    const givers = actions.filter((action) => isStopped(action, each, input));
    if (givers.length > 0) takesOver.set(key, givers);
    for (const address of each.publishes) {
      const holder = holders.get(portKey(input, each.instance, address));
      if (holder === undefined || holder.key === key || givers.includes(holder)) continue;
      if (reaches(holder.key, key, after)) continue;
      after.get(key)?.add(holder.key);
      if (holder.kind === "remove") early.add(holder.key);
    }
  }
  return { early, takesOver };
}

/** A predecessor that serves where its successor is to, or that an earlier change stopped for it. */
function isStopped(action: PlanAction, successor: OrderedInstance, input: OrderInput): boolean {
  const known = input.known.get(action.key);
  if (action.kind !== "remove" || known?.observed?.settled === undefined || !isSuccessor(successor, known))
    return false;
  if (wasStopped(known)) return true;
  const wanted = new Set(successor.publishes.map((each) => portKey(input, successor.instance, each)));
  return known.observed.addresses.some((each) => wanted.has(portKey(input, known.instance, each)));
}

/** Its way back leads to what it is. */
function wasStopped({ unfinished }: KnownInstance): boolean {
  return unfinished?.to !== undefined && unfinished.to === unfinished.from;
}

function describeGap(from: readonly PlanAction[], { instance, publishes }: PlanAction): string {
  const others = from.map((each) =>
    each.instance.service === instance.service ? each.instance.provider : each.instance.service,
  );
  return `takes port ${publishes.map(portOf).join(", ")} over from ${others.join(", ")}: no answer there while it starts`;
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
