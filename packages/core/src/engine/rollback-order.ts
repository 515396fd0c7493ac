import { dependencies } from "../config/dependencies.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Stack } from "../model/stack.ts";

/** What a service needs goes back before it; removals are last. */
export function inOrder(actions: readonly PlanAction[], stack: Stack): PlanAction[] {
  const others = actions.filter((each) => each.kind !== "remove" && each.kind !== "hold");
  return actions.map((each) => {
    const declared = stack.services[each.instance.service];
    const needs = declared === undefined ? [] : dependencies(declared);
    const before = each.kind === "remove" ? others : others.filter((other) => needs.includes(other.instance.service));
    return { ...each, after: before.map((other) => other.key) };
  });
}
