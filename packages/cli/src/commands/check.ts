import { hasErrors } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { countDiagnostics, renderDiagnostics } from "../output/diagnostics.ts";
import { sourceReader } from "../output/source.ts";
import { count } from "../output/table.ts";
import { withSession } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(
    invocation,
    { load: "deploy", isChange: false },
    async ({ plane, stack, output, diagnostics: whileLoading }) => {
      const found = await plane.stacks.check(stack);
      const all = [...whileLoading, ...found];
      const failed = hasErrors(all);
      if (output.json) output.document({ stack: stack.name, ok: !failed, diagnostics: all });
      else {
        // Those from loading were printed when they were found.
        output.errors(renderDiagnostics(found, output.errorPaint, sourceReader()));
        const problems = countDiagnostics(all);
        const services = count(Object.keys(stack.services).length, "service");
        const fine = `${stack.file}: ${services}, ${problems === "" ? "no problems" : problems}.`;
        output.lines([failed ? `${stack.file}: ${problems}.` : fine]);
      }
      return failed ? exit.invalid : exit.done;
    },
  );
}
