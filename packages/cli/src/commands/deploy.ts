import type { DeployOptions, PlanOptions } from "@ctrlplane/core";
import type { Start } from "../acting.ts";
import type { Invocation } from "../arguments/invocation.ts";
import { confirmByName } from "../ask.ts";
import { followThroughPauses } from "../pauses.ts";
import { withSession, type Session } from "../session.ts";
import { changeOptions } from "./change-options.ts";
import { planOptions } from "./plan.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "deploy", isChange: true }, async (session) => {
    const options = planOptions(invocation);
    const remove = [...(options.remove ?? []), ...(await askForHeld(session, options))];
    const expect = invocation.text("expect");
    const deploy =
      (more: Pick<DeployOptions, "expect" | "ifPaused">): Start =>
      (events) =>
        session.plane.stacks.deploy(session.stack, {
          ...options,
          ...changeOptions(session),
          ...events,
          remove,
          atomic: invocation.flag("atomic"),
          ...more,
        });
    return followThroughPauses(session, "deploy", deploy(expect === undefined ? {} : { expect }), (paused) =>
      deploy({ ifPaused: paused.map((each) => each.deployment) }),
    );
  });
}

/** Services that left the file and hold data, as far as somebody at a terminal names them. Without one they stay, and the change says so. */
async function askForHeld(
  { invocation, output, plane, stack, signal }: Session,
  options: PlanOptions,
): Promise<string[]> {
  if (!output.isTerminal || invocation.flag("yes") || invocation.positionals.length > 0) return [];
  const plan = await plane.stacks.plan(stack, { ...options, signal });
  const confirmed: string[] = [];
  for (const action of plan.actions) {
    if (action.kind !== "hold" || !action.causes.includes("removed")) continue;
    const { service } = action.instance;
    if (await confirmByName(`${service}: ${action.summary}.`, service)) confirmed.push(service);
  }
  return confirmed;
}
