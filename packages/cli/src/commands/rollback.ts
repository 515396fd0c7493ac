import { follow } from "../acting.ts";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { confirm } from "../ask.ts";
import { exit } from "../exit-code.ts";
import { planOf } from "../output/event-data.ts";
import { renderPlan } from "../output/plan.ts";
import { withSession, type Session } from "../session.ts";
import { changeOptions } from "./change-options.ts";

export async function run(invocation: Invocation): Promise<number> {
  const [service] = invocation.positionals;
  const to = invocation.integer("to", 1);
  if (to !== undefined && service === undefined) {
    throw new UsageError("--to wants the service whose release it is", `For example: pctl rollback web --to ${to}`);
  }
  const change = invocation.integer("change", 1);
  if (change !== undefined && service !== undefined) {
    throw new UsageError(
      "--change undoes a whole change, of all its services",
      `For one of them: pctl rollback ${service}`,
    );
  }
  const target = {
    ...(change === undefined ? {} : { change }),
    ...(service === undefined ? {} : { service }),
    ...(to === undefined ? {} : { to }),
  };
  return withSession(invocation, { load: "operate", isChange: true }, async (session) => {
    if (session.output.isTerminal && !invocation.flag("yes") && !(await agrees(session, target))) {
      session.output.lines(["Nothing was changed."]);
      return exit.error;
    }
    return follow(session, "rollback", (events) =>
      session.plane.stacks.rollback(session.stack, { ...changeOptions(session), ...events, ...target }),
    );
  });
}

/** Shows the difference, and asks. */
async function agrees(
  { plane, stack, output, signal }: Session,
  target: { service?: string; to?: number; change?: number },
): Promise<boolean> {
  const preview = await plane.stacks.rollback(stack, { ...target, dryRun: true, signal });
  for await (const event of preview.events) {
    const plan = event.type === "plan.ready" ? planOf(event) : undefined;
    if (plan !== undefined) output.lines([...renderPlan(plan, output.paint), ""]);
  }
  await preview.done;
  return confirm("Roll back?");
}
