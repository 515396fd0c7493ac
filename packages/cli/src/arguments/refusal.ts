import type { Command, CommanderError } from "commander";
import type { CommandDefinition } from "./definition.ts";
import { fullName } from "./help.ts";
import type { Invocation } from "./invocation.ts";
import { UsageError } from "./usage-error.ts";

/** Words of other tools, and ours for them; commander itself finds what is misspelled. */
const counterparts: Readonly<Record<string, string>> = {
  apply: "deploy",
  build: "deploy",
  console: "run",
  delete: "destroy",
  diff: "plan",
  lint: "check",
  list: "status",
  ls: "status",
  remove: "destroy",
  releases: "history",
  rm: "destroy",
  shell: "exec",
  ssh: "exec",
  undo: "rollback",
  validate: "check",
};

/** For `exitOverride`: turns what commander refuses into a usage error, and lets help and version pass. */
export function refusal(
  command: Command,
  definition?: CommandDefinition,
  understood?: () => Invocation,
): (error: CommanderError) => never {
  return (error) => {
    if (error.exitCode === 0) throw error;
    const [first = "", suggestion] = error.message.split("\n");
    const message = error.code === "commander.help" ? missingCommand(command) : first.replace(/^error: /, "");
    const hint = suggested(command, error.code, suggestion) ?? usageHint(command, definition, error.code);
    throw new UsageError(message, hint, understood?.());
  };
}

/** Commander answers a word that is missing, or unknown to `help`, with all of the help. */
function missingCommand(command: Command): string {
  const [first, unknown] = command.args;
  if (first === "help" && unknown !== undefined) return `unknown command '${unknown}'`;
  return `a command is missing after '${fullName(command)}'`;
}

function suggested(command: Command, code: string, suggestion: string | undefined): string | undefined {
  const [word = ""] = command.args;
  const counterpart = code === "commander.unknownCommand" ? counterparts[word.toLowerCase()] : undefined;
  if (counterpart !== undefined) return `Did you mean pctl ${counterpart}?`;
  const found = suggestion === undefined ? undefined : /^\((Did you mean .*\?)\)$/.exec(suggestion)?.[1];
  if (found === undefined || code !== "commander.unknownCommand") return found;
  return found.replace("Did you mean ", `Did you mean ${found.includes("one of ") ? "" : `${fullName(command)} `}`);
}

function usageHint(command: Command, definition: CommandDefinition | undefined, code: string): string {
  const [example] = definition?.examples ?? [];
  if (code === "commander.unknownOption" || (definition === undefined && command.parent === null)) {
    return `${fullName(command)} --help lists ${code === "commander.unknownOption" ? "them" : "all commands"}.`;
  }
  if (example !== undefined) return `For example: pctl ${example[0]}`;
  return `It is one of: ${command.commands.map((each) => fullName(each)).join(", ")}.`;
}
