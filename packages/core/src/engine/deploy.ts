import { CtrlPlaneError } from "../errors/error.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { Change, DeploymentResult } from "../model/change.ts";
import type { Stack } from "../model/stack.ts";
import type { ChangeOptions, DeployOptions, PlanOptions, Run } from "../control-plane.ts";
import type { ChangeScope } from "../apply/change-scope.ts";
import { execute, type ExecuteInput } from "../apply/execute.ts";
import type { Core } from "../platforms/core.ts";
import { leaveFormerPlaces } from "./leave-former-places.ts";
import { prepare } from "./plan-stack.ts";
import { runChange } from "./run-change.ts";
import type { Survey } from "./survey.ts";

/** Brings a stack, or the services named, to what it declares. */
export function deployStack(core: Core, stack: Stack, options: DeployOptions): Promise<Run<Change>> {
  return runChange(core, {
    command: "deploy",
    stack,
    options,
    decide: async (context) => {
      const prepared = await prepare(core, stack, options, context);
      const { plan, survey, desired, known } = prepared;
      requirePaused(known, options.ifPaused ?? []);
      const input = { actions: plan.actions, desired, known, volumes: options.volumes ?? false };
      return { plan, survey, execute: (scope) => executeAndLeave(scope, input, survey) };
    },
  });
}

async function executeAndLeave(
  scope: ChangeScope,
  input: ExecuteInput,
  { document }: Survey,
): Promise<DeploymentResult[]> {
  const results = await execute(scope, input);
  const specs = new Map([...input.desired.values()].map(({ instance, spec }) => [instance.service, spec]));
  await leaveFormerPlaces(scope, document, specs, results);
  return results;
}

function requirePaused(known: ReadonlyMap<string, KnownInstance>, deployments: readonly string[]): void {
  const paused = [...known.values()].flatMap(({ unfinished }) =>
    unfinished?.pause === undefined ? [] : unfinished.deployment,
  );
  if (deployments.every((each) => paused.includes(each))) return;
  throw new CtrlPlaneError("CONFLICT", "what was paused was promoted or aborted meanwhile", {
    target: "pause",
    hint: "pctl history shows by whom.",
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
      return { plan, survey, execute: (scope) => executeAndLeave(scope, input, survey) };
    },
  });
}
