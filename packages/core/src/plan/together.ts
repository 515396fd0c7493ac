import type { PlanAction } from "../model/plan.ts";
import { actionKey, type DesiredInstance, type PlanInput } from "./input.ts";
import { outOfReach } from "./out-of-reach.ts";

/** Kinds of actions that bring something up, and can be taken back. */
const bringing: readonly PlanAction["kind"][] = ["create", "update", "configure", "resume", "revert"];

/** The one group of a change that is reverted as a whole; `*` is no name of a service. */
const wholeChange = "*";

/**
 * Makes actions of what is wanted one: instances of a service with several providers, or with `atomic` all. They get a group; one
 * that a platform out of reach keeps from being brought up keeps the others of its group; instances of a service share their numbers.
 */
export function joinTogether(actions: readonly PlanAction[], input: PlanInput): PlanAction[] {
  const listed = servicesOnSeveral(input.desired);
  const groupOf = ({ instance }: PlanAction): string | undefined =>
    input.atomic ? wholeChange : listed.has(instance.service) ? instance.service : undefined;
  const lost = new Map<string, PlanAction>();
  for (const action of actions) {
    const group = groupOf(action);
    if (action.kind === "unreachable" && group !== undefined && !lost.has(group)) lost.set(group, action);
  }
  const numbers = sharedNumbers(
    actions.filter(({ instance }) => listed.has(instance.service)),
    input,
  );
  return actions.map((action) => {
    const group = groupOf(action);
    if (group === undefined || !bringing.includes(action.kind)) return action;
    const because = lost.get(group);
    if (because !== undefined) return keptBack(action, because);
    const release = numbers.get(action.key);
    return { ...action, group, ...(release === undefined ? {} : { release }) };
  });
}

function servicesOnSeveral(desired: readonly DesiredInstance[]): ReadonlySet<string> {
  const byService = Map.groupBy(desired, (each) => each.instance.service);
  return new Set([...byService].filter(([, instances]) => instances.length > 1).map(([service]) => service));
}

function keptBack(action: PlanAction, because: PlanAction): PlanAction {
  const other = because.instance;
  const whose = other.service === action.instance.service ? "" : ` of ${other.service}`;
  const message = `not begun, because ${other.provider}${whose} cannot be reached: ${because.summary}`;
  return outOfReach(
    { ...action, causes: [], changes: [] },
    { message, ...(because.problem === undefined ? {} : { problem: because.problem }) },
  );
}

/**
 * Each ledger counts by itself. A new release gets the number that the others of its service have or are about to get, where it is
 * still free on its own platform: `release 4 on a, release 4 on b`.
 */
function sharedNumbers(actions: readonly PlanAction[], input: PlanInput): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [, instances] of Map.groupBy(actions, (action) => action.instance.service)) {
    const fixed = instances.flatMap(({ kind, from, release }) =>
      kind === "keep" ? (from ?? []) : kind === "resume" ? (release ?? []) : [],
    );
    const news = instances.filter(({ kind, release }) => kind !== "resume" && kind !== "keep" && release !== undefined);
    const highest = Math.max(0, ...news.map((action) => action.release ?? 0));
    const common = Math.max(0, ...fixed);
    for (const action of news) {
      const taken = Math.max(0, ...(input.known.get(action.key)?.releases ?? []), action.from ?? 0);
      numbers.set(action.key, common > taken ? common : Math.max(highest, common + (fixed.length > 0 ? 1 : 0)));
    }
  }
  return numbers;
}

/** Names of providers that mean one platform, where a service is wanted on both. */
export function samePlatforms(desired: readonly DesiredInstance[]): { service: string; names: readonly string[] }[] {
  const places = Map.groupBy(desired, ({ instance }) => `${instance.service}@${instance.platformId}`);
  return [...places.values()]
    .filter((each) => each.length > 1)
    .map((each) => ({
      service: each[0]?.instance.service ?? "",
      names: each.map(({ instance }) => instance.provider),
    }));
}

/** What `--atomic` could not take back, by the key of its action: told before anything is touched. */
export function irreversible(actions: readonly PlanAction[], input: PlanInput): { action: PlanAction; why: string }[] {
  if (!input.atomic) return [];
  const desired = new Map(input.desired.map((each) => [actionKey(each.instance), each]));
  const early = new Set(actions.filter(({ kind }) => bringing.includes(kind)).flatMap(({ after }) => after));
  return actions.flatMap((action) => {
    const { service } = action.instance;
    if (action.kind === "remove" && early.has(action.key))
      return [
        { action, why: `${service} goes first, because its address is taken over, and a removal cannot be taken back` },
      ];
    if (!bringing.includes(action.kind)) return [];
    if (input.known.get(action.key)?.observed?.isLegacy === true)
      return [{ action, why: `${service} takes the place of what pctl 1.1 made, which no release can bring back` }];
    const strategy = desired.get(action.key)?.spec.strategy;
    if (strategy?.onFailure === "hold")
      return [{ action, why: `${service} says onfailure: hold, and is to be held when it fails` }];
    return pauses(strategy)
      ? [{ action, why: `${service} pauses at its steps, and a change that waits is not decided` }]
      : [];
  });
}

function pauses(strategy: DesiredInstance["spec"]["strategy"] | undefined): boolean {
  if (strategy === undefined || (strategy.type !== "canary" && strategy.type !== "blue_green")) return false;
  return strategy.pause === "manual" || strategy.pause.ms > 0;
}
