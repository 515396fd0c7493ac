import type { PlanAction } from "../model/plan.ts";
import { actionKey, type KnownInstance } from "../plan/input.ts";
import { outOfReach, whyUnreachable } from "../plan/out-of-reach.ts";
import type { Survey } from "./survey.ts";

/** What is recorded on platforms that cannot be reached: named in the result, so that nobody takes it for done. */
export function unreachableActions(known: ReadonlyMap<string, KnownInstance>, seen: Survey): PlanAction[] {
  return [...known.values()].flatMap(({ instance, entry }): PlanAction[] => {
    const bound = seen.platforms.providers.get(instance.provider);
    if (bound === undefined || !("problem" in bound) || entry === undefined || entry.destroyed === true) return [];
    const key = actionKey(instance);
    const nothing = { causes: [], changes: [], after: [], volumes: [], publishes: [], notes: [], summary: "" };
    return [outOfReach({ key, kind: "unreachable", instance, ...nothing }, whyUnreachable(bound.problem))];
  });
}

/** Throws why one of these platforms (default: any) cannot be asked: called before anybody says that there is nothing. */
export function refuseUnseen(seen: Survey, providers: Iterable<string> = seen.platforms.providers.keys()): void {
  for (const name of providers) {
    const bound = seen.platforms.providers.get(name);
    if (bound !== undefined && "problem" in bound) throw bound.problem;
  }
}
