import type { StackStatus } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { confirm } from "../ask.ts";
import { exit } from "../exit-code.ts";
import { ago } from "../output/time.ts";
import { withSession } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: true }, async ({ plane, stack, output }) => {
    const { lease } = await plane.stacks.status(stack);
    if (lease === undefined) {
      if (output.json) output.document({ released: null });
      else output.lines([`Nobody holds the lease of ${stack.name}.`]);
      return exit.done;
    }
    if (!invocation.flag("yes") && !(await agrees(lease, output.isTerminal))) return exit.error;
    const released = await plane.stacks.state.unlock(stack);
    if (output.json) output.document({ released: released ?? null });
    else
      output.lines([
        released === undefined
          ? "It was released meanwhile."
          : `Took the lease from ${describe(released)}; it stops before its next write.`,
      ]);
    return exit.done;
  });
}

function agrees(lease: NonNullable<StackStatus["lease"]>, isTerminal: boolean): Promise<boolean> {
  if (!isTerminal)
    throw new UsageError(
      `the lease is held by ${describe(lease)}; taking it needs a yes`,
      "With --yes it does not ask.",
    );
  return confirm(`Held by ${describe(lease)}. Take it away?`);
}

function describe(lease: NonNullable<StackStatus["lease"]>): string {
  return `${lease.user} on ${lease.host} (pid ${lease.pid}, ${lease.command}, ${ago(lease.since, Date.now())})`;
}
