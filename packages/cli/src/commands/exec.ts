import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { attach, terminalFor } from "../attach.ts";
import { withSession } from "../session.ts";

export async function run(invocation: Invocation): Promise<number> {
  const [service = ""] = invocation.positionals;
  if (invocation.rest.length === 0)
    throw new UsageError(`what shall run in ${service}?`, `For example: pctl exec ${service} sh`);
  return withSession(invocation, { load: "operate", isChange: false, ownsSignals: true }, async ({ plane, stack }) => {
    const terminal = terminalFor(invocation);
    const replica = invocation.text("replica");
    const provider = invocation.text("provider");
    const session = await plane.stacks.exec(stack, service, {
      command: invocation.rest,
      ...(provider === undefined ? {} : { provider }),
      ...(replica === undefined ? {} : { replica }),
      ...(terminal === undefined ? {} : { terminal }),
    });
    return attach(session, terminal);
  });
}
