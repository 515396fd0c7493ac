import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { renderProviders } from "../output/providers.ts";
import { withSession } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: false }, async ({ plane, stack, output }) => {
    const providers = await plane.stacks.providers(stack);
    if (output.json) output.document({ stack: stack.name, providers });
    else output.lines(renderProviders(providers, output.paint));
    return providers.some((each) => each.problem !== undefined) ? exit.attention : exit.done;
  });
}
