import { stringify } from "yaml";
import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { declarationOf } from "../output/declaration.ts";
import { withSession } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "deploy", isChange: false }, async ({ stack, output }) => {
    const declaration = declarationOf(stack);
    if (output.json) output.document(declaration);
    else output.lines([stringify(declaration, { lineWidth: 0 }).trimEnd()]);
    return exit.done;
  });
}
