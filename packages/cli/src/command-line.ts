import type { Invocation } from "./arguments/invocation.ts";
import { readCommandLine } from "./arguments/program.ts";
import { grammar } from "./definitions/index.ts";
import { pctlVersion } from "./version.ts";

/**
 * `pctl`, from the words after its name to the exit code (architecture.md §8). Loads the command that runs and nothing of
 * the others; help loads neither the core nor a provider.
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  let invocation: Invocation | undefined;
  try {
    invocation = readCommandLine(words, grammar, pctlVersion());
    if (invocation === undefined) return 0;
    const command = await invocation.command.load();
    return await command.run(invocation);
  } catch (error) {
    const { reportError } = await import("./report-error.ts");
    return reportError(error, invocation, words);
  }
}
