import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { renderState } from "../output/state.ts";
import { withSession } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: true }, async ({ plane, stack, output }) => {
    const document = await plane.stacks.state.rebuild(stack);
    if (output.json) output.document(document);
    else
      output.lines([...renderState(stack.name, document, output.paint), "", "Rebuilt from what the platforms know."]);
    return exit.done;
  });
}
