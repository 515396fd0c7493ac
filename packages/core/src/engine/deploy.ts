import type { Change } from "../model/change.ts";
import type { Stack } from "../model/stack.ts";
import type { ChangeOptions, DeployOptions, PlanOptions, Run } from "../control-plane.ts";
import { execute } from "../apply/execute.ts";
import type { Core } from "../platforms/core.ts";
import { prepare } from "./plan-stack.ts";
import { runChange } from "./run-change.ts";

/** Brings a stack, or the services named, to what it declares. */
export function deployStack(core: Core, stack: Stack, options: DeployOptions): Promise<Run<Change>> {
  return runChange(core, {
    command: "deploy",
    stack,
    options,
    decide: async (context) => {
      const prepared = await prepare(core, stack, options, context);
      const { plan, survey, desired, known } = prepared;
      const input = { actions: plan.actions, desired, known, volumes: options.volumes ?? false };
      return { plan, survey, execute: (scope) => execute(scope, input) };
    },
  });
}

/** Removes the services named, or all. What needs another goes before it. */
export function destroyStack(core: Core, stack: Stack, options: PlanOptions & ChangeOptions): Promise<Run<Change>> {
  const remove = [...(options.remove ?? []), ...(options.services ?? [])];
  return runChange(core, {
    command: "destroy",
    stack,
    options,
    decide: async (context) => {
      const { plan, survey, desired, known } = await prepare(core, stack, { ...options, remove }, context, "nothing");
      const input = { actions: plan.actions, desired, known, volumes: options.volumes ?? false };
      return { plan, survey, execute: (scope) => execute(scope, input) };
    },
  });
}
