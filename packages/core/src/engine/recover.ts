import type { Change } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Stack } from "../model/stack.ts";
import type { ChangeOptions, Run } from "../control-plane.ts";
import { runActions } from "../apply/execute.ts";
import { recoverInstance } from "../apply/recover-instance.ts";
import { removeInstance } from "../apply/remove-instance.ts";
import { actionKey, type KnownInstance } from "../plan/input.ts";
import type { Core } from "../platforms/core.ts";
import { knownInstances, refuseUntouchable } from "./known.ts";
import { isHalfway } from "./last-effects.ts";
import { planOfActions } from "./plan-of-actions.ts";
import { runChange } from "./run-change.ts";
import { survey } from "./survey.ts";

/**
 * Ends what a process that died had begun, without a declaration at hand: back to the release that served, forward where there is none, and
 * a removal to its end. What is paused stays so. With nothing to do nothing is written.
 */
export function recoverStack(core: Core, stack: Stack, options: ChangeOptions): Promise<Run<Change>> {
  return runChange(core, {
    command: "recover",
    stack,
    options,
    decide: async (context) => {
      const seen = await survey(core, stack, context);
      const subjects = [...knownInstances(stack, seen).values()].filter(
        (each) => isBegunRemoval(each) || (isHalfway(each) && each.unfinished.pause === undefined),
      );
      for (const each of subjects) refuseUntouchable(each, seen);
      const actions = subjects.map(describeAction);
      const byKey = new Map(subjects.map((each) => [actionKey(each.instance), each]));
      return {
        plan: planOfActions(stack, actions),
        survey: seen,
        execute: (scope) =>
          runActions(scope, actions, async (action) => {
            const known = byKey.get(action.key);
            if (known === undefined) throw new Error(`nothing was decided for ${action.key}`);
            if (isBegunRemoval(known)) return removeInstance(scope, action, known, { volumes: false });
            const result = await recoverInstance(scope, known);
            if (result === undefined) throw new Error(`nothing of ${action.key} is unfinished`);
            return result.outcome === "reverted" ? { ...result, outcome: "succeeded" } : result;
          }),
      };
    },
  });
}

function isBegunRemoval({ unfinished }: KnownInstance): boolean {
  return unfinished !== undefined && unfinished.to === undefined;
}

function describeAction(known: KnownInstance): PlanAction {
  const { instance, unfinished, observed } = known;
  const from = unfinished?.from;
  const isRemoval = isBegunRemoval(known);
  return {
    key: actionKey(instance),
    kind: isRemoval ? "remove" : "revert",
    instance,
    causes: ["recovery"],
    changes: [],
    after: [],
    ...(from === undefined ? {} : { from }),
    volumes: isRemoval ? (observed?.volumes ?? []) : [],
    publishes: [],
    notes: [],
    summary: isRemoval ? "its removal did not finish" : `change #${unfinished?.change ?? "?"} did not finish`,
  };
}
