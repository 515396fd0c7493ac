import type { Invocation } from "./arguments/invocation.ts";
import { parseCommandLine } from "./arguments/parse.ts";
import { globalOptions } from "./definitions/globals.ts";
import { grammar } from "./definitions/index.ts";
import { rootHelpText } from "./root-help.ts";

/**
 * `pctl`, from the words after its name to the exit code (architecture.md §8). Loads the command that runs and nothing of
 * the others; help loads neither the core nor a provider.
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  let invocation: Invocation | undefined;
  try {
    const parsed = parseCommandLine(words, grammar);
    if (parsed.kind === "run") {
      invocation = parsed.invocation;
      const command = await invocation.command.load();
      return await command.run(invocation);
    }
    if (parsed.kind === "version") {
      const { pctlVersion } = await import("./version.ts");
      process.stdout.write(`${pctlVersion()}\n`);
      return 0;
    }
    const { commandHelp } = await import("./arguments/help.ts");
    process.stdout.write(parsed.of === undefined ? rootHelpText : commandHelp(parsed.of, globalOptions));
    return 0;
  } catch (error) {
    const { reportError } = await import("./report-error.ts");
    return reportError(error, invocation);
  }
}
