import { dependencies } from "../config/dependencies.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Stack } from "../model/stack.ts";
import { publishedBy } from "../plan/host-ports.ts";
import { actionKey } from "../plan/input.ts";
import { order } from "../plan/order.ts";
import { hostsOf } from "./plan-stack.ts";
import type { RollbackStep } from "./rollback-step.ts";
import type { Survey } from "./survey.ts";

/** As a deploy orders them: what a service needs goes back before it, host ports change hands, removals are last. */
export function inOrder(
  actions: readonly PlanAction[],
  steps: readonly Pick<RollbackStep, "known" | "target">[],
  stack: Stack,
  seen: Survey,
): readonly PlanAction[] {
  const needsOf = (service: string): readonly string[] => {
    const declared = stack.services[service];
    return declared === undefined ? [] : dependencies(declared);
  };
  const desired = steps.flatMap(({ known: { instance }, target }) =>
    target === undefined
      ? []
      : [{ instance, spec: target.spec, publishes: publishedBy(target.spec), needs: needsOf(instance.service) }],
  );
  const known = new Map(steps.map((step) => [actionKey(step.known.instance), step.known]));
  return order(actions, { desired, known, hosts: hostsOf(seen), goal: "declared", needs: new Map() });
}
