import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { renderState } from "../output/state.ts";
import { withSession } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: false }, async ({ plane, stack, output, next }) => {
    const document = await plane.stacks.state.show(stack);
    if (output.json) output.document(document ?? null);
    else if (document === undefined)
      output.lines([
        `There is no state of ${stack.name} here yet. ${next("deploy")} writes it; ${next("state rebuild")} recovers it.`,
      ]);
    else output.lines(renderState(stack.name, document, output.paint));
    return exit.done;
  });
}
