import type { Invocation } from "../arguments/invocation.ts";
import { attach, terminalFor } from "../attach.ts";
import { withSession } from "../session.ts";

export async function run(invocation: Invocation): Promise<number> {
  const [service = ""] = invocation.positionals;
  const provider = invocation.text("provider");
  const release = invocation.integer("release", 1);
  return withSession(invocation, { load: "operate", isChange: false, ownsSignals: true }, async ({ plane, stack }) => {
    const terminal = terminalFor(invocation);
    const session = await plane.stacks.run(stack, service, {
      ...(invocation.rest.length === 0 ? {} : { command: invocation.rest }),
      ...(provider === undefined ? {} : { provider }),
      ...(release === undefined ? {} : { release }),
      ...(terminal === undefined ? {} : { terminal }),
    });
    return attach(session, terminal);
  });
}
