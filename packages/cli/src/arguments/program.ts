import { Command, CommanderError, Option } from "commander";
import type { CommandDefinition, CommandGroup, Grammar, OptionDefinition } from "./definition.ts";
import { isGroup } from "./definition.ts";
import { examplesText, formatHelp, globalsHeading } from "./help.ts";
import { Invocation } from "./invocation.ts";
import { refusal } from "./refusal.ts";

/** Called with the command that was typed, once its words are known to be right. */
type OnCommand = (invocation: Invocation) => void;

/**
 * Reads a command line with commander. Undefined where it asked for help or the version, which have then been printed.
 * Throws `UsageError`; ends no process, and prints nothing but help.
 */
export function readCommandLine(words: readonly string[], grammar: Grammar, version: string): Invocation | undefined {
  let chosen: Invocation | undefined;
  const program = buildProgram(grammar, version, (invocation) => (chosen = invocation));
  try {
    program.parse(words, { from: "user" });
  } catch (error) {
    const wasHelp = error instanceof CommanderError && error.exitCode === 0;
    if (!wasHelp) throw error;
  }
  return chosen;
}

/** Commander's commands for our definitions. */
export function buildProgram(grammar: Grammar, version: string, onCommand: OnCommand): Command {
  const program = new Command("pctl")
    .description("pctl deploys the services of pctl.yaml, and keeps them running the way it says.")
    .usage("<command> [options]")
    .enablePositionalOptions()
    .configureHelp({ formatHelp, helpWidth: 110 })
    // Errors are told by `report-error.ts`, which knows `--json` and `--quiet` too.
    .configureOutput({ writeErr: () => undefined });
  addGlobals(program, grammar.globals);
  program.optionsGroup(globalsHeading).version(version, "-V, --version", "the version of pctl");
  program.exitOverride(refusal(program));
  for (const [heading, entries] of grammar.sections) {
    for (const entry of entries) addEntry(program, entry, grammar.globals, onCommand).helpGroup(heading);
  }
  program.addHelpText(
    "after",
    "\npctl <command> --help says more, with examples. A first time: pctl init, pctl plan, pctl deploy.",
  );
  return program;
}

function addEntry(
  parent: Command,
  entry: CommandDefinition | CommandGroup,
  globals: readonly OptionDefinition[],
  onCommand: OnCommand,
): Command {
  // `state show` is `show` of the group `state`.
  const command = parent.command(entry.name.slice(entry.name.lastIndexOf(" ") + 1)).summary(entry.summary);
  addGlobals(command, globals);
  if (isGroup(entry)) {
    command.usage("<command> [options]").exitOverride(refusal(command));
    for (const each of entry.commands) addEntry(command, each, globals, onCommand).helpGroup("Commands");
    return command.addHelpText("after", examplesText(entry.commands.flatMap((each) => each.examples)));
  }
  command
    .aliases([...(entry.aliases ?? [])])
    .description((entry.details ?? []).join("\n\n"))
    .passThroughOptions(entry.rest === "all")
    .exitOverride(refusal(command, entry, () => invocationOf(command, entry)))
    .action(() => onCommand(invocationOf(command, entry)))
    .addHelpText("after", examplesText(entry.examples));
  if (entry.parameters !== undefined) command.arguments(entry.parameters);
  if (entry.usage !== undefined) command.usage(`[options] ${entry.usage}`);
  for (const option of entry.options) command.addOption(optionOf(option));
  return command;
}

/** Commander takes options of the program before the command only; so each command has them as well, and the values are joined. */
function addGlobals(command: Command, globals: readonly OptionDefinition[]): void {
  for (const option of globals) command.addOption(optionOf(option).helpGroup(globalsHeading));
  command.addHelpOption(new Option("-h, --help", "help on pctl, or on a command").helpGroup(globalsHeading));
}

function optionOf({ long, short, value, repeatable, text }: OptionDefinition): Option {
  const flags = `${short === undefined ? "" : `-${short}, `}--${long}${value === undefined ? "" : ` <${value}>`}`;
  const option = new Option(flags, repeatable === true ? `${text} (repeatable)` : text);
  return value === undefined
    ? option
    : option.argParser((each, all: readonly string[] | undefined) => [...(all ?? []), each]);
}

function invocationOf(command: Command, definition: CommandDefinition): Invocation {
  const [first, ...rest] = command.args;
  if (definition.rest === undefined) return new Invocation(definition, valuesOf(command), command.args);
  // Before a command that takes all words, dashes are for whoever is used to them.
  const words = definition.rest === "all" && rest[0] === "--" ? rest.slice(1) : rest;
  return new Invocation(definition, valuesOf(command), first === undefined ? [] : [first], words);
}

/** What was given, by long name, from the program down to the command. */
function valuesOf(command: Command): Map<string, readonly string[]> {
  const values = command.parent === null ? new Map<string, readonly string[]>() : valuesOf(command.parent);
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli") continue;
    // Set by `optionOf` and commander: a list, or true, or false for `--no-…`.
    const value = command.getOptionValue(name) as readonly string[] | boolean;
    const long = option.long?.slice(2) ?? name;
    if (typeof value !== "boolean") values.set(long, [...(values.get(long) ?? []), ...value]);
    else if (value !== option.negate) values.set(long, []);
  }
  return values;
}
