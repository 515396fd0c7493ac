import { hasErrors, isPending, type PlanOptions } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { renderPlan } from "../output/plan.ts";
import { withSession } from "../session.ts";

/** What `plan` and `deploy` look at, from their common options. */
export function planOptions(invocation: Invocation): PlanOptions {
  return {
    ...(invocation.positionals.length === 0 ? {} : { services: invocation.positionals }),
    remove: invocation.list("remove"),
    volumes: invocation.flag("volumes"),
    adopt: invocation.flag("adopt"),
    leaveVolumes: invocation.flag("leave-volumes"),
    refresh: invocation.flag("refresh"),
  };
}

export function run(invocation: Invocation): Promise<number> {
  return withSession(
    invocation,
    { load: "deploy", isChange: false },
    async ({ plane, stack, output, next, signal }) => {
      const plan = await plane.stacks.plan(stack, { ...planOptions(invocation), signal });
      const pending = isPending(plan);
      const isRefused = hasErrors(plan.diagnostics);
      const isWhole = plan.actions.every(({ kind }) => kind !== "unreachable");
      const canDeploy = plan.actions.some(({ kind }) => kind !== "keep" && kind !== "unreachable");
      if (output.json) output.document(plan);
      else {
        if (!output.quiet) output.lines([...renderPlan(plan, output.paint), ""]);
        const services = invocation.positionals.map((each) => ` ${each}`).join("");
        const then = canDeploy ? next(`deploy${services} --expect ${plan.hash.slice(0, shownHash)}`) : next("doctor");
        const refused = "Not as declared: mend what is told above, then pctl plan.";
        const last = pending ? `Next: ${then}` : "Nothing to do: all serves as declared.";
        output.lines([isRefused ? refused : last]);
      }
      if (isRefused) return exit.invalid;
      if (!isWhole) return exit.attention;
      return pending && invocation.flag("exit-code") ? exit.pending : exit.done;
    },
  );
}

/** Digits of a plan's hash that are printed; `--expect` takes any beginning of that length or more. */
export const shownHash = 12;
