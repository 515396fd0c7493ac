import type { CommandDefinition, CommandGroup, OptionDefinition } from "./definition.ts";
import { isGroup } from "./definition.ts";

type Entry = CommandDefinition | CommandGroup;

/** `pctl --help`. */
export function rootHelp(
  sections: readonly (readonly [string, readonly Entry[]])[],
  globals: readonly OptionDefinition[],
): string {
  const lines = [
    "pctl deploys the services of pctl.yaml, and keeps them running the way it says.",
    "",
    "Usage: pctl <command> [options]",
  ];
  const width = Math.max(...sections.flatMap(([, commands]) => commands.map((each) => commandRow(each)[0].length)));
  for (const [title, commands] of sections) lines.push("", title, ...rows(commands.map(commandRow), width));
  lines.push("", "Options of every command", ...rows(globals.map(optionRow)));
  lines.push("", "pctl <command> --help says more, with examples. A first time: pctl init, pctl plan, pctl deploy.");
  return `${lines.join("\n")}\n`;
}

/** `pctl deploy --help`, `pctl state --help`. */
export function commandHelp(entry: Entry, globals: readonly OptionDefinition[]): string {
  return isGroup(entry) ? groupHelp(entry) : leafHelp(entry, globals);
}

function groupHelp(group: CommandGroup): string {
  const lines = [`pctl ${group.name}: ${group.summary}`, "", ...rows(group.commands.map(commandRow)), ""];
  lines.push("Examples", ...rows(group.commands.flatMap((each) => each.examples.map(exampleRow))));
  return `${lines.join("\n")}\n`;
}

function leafHelp(command: CommandDefinition, globals: readonly OptionDefinition[]): string {
  const lines = [`pctl ${command.name}: ${command.summary}`, ""];
  for (const paragraph of command.details ?? []) lines.push(...wrap(paragraph, 100), "");
  const usage = ["pctl", command.name, "[options]", command.parameters].filter((each) => each !== undefined);
  lines.push(`Usage: ${usage.join(" ")}`);
  if (command.aliases !== undefined) lines.push(`Also:  ${command.aliases.map((each) => `pctl ${each}`).join(", ")}`);
  if (command.options.length > 0) lines.push("", "Options", ...rows(command.options.map(optionRow)));
  lines.push("", "Examples", ...rows(command.examples.map(exampleRow)));
  const names = globals.map((each) => `--${each.long}`);
  lines.push("", ...wrap(`Options of every command (pctl --help): ${names.join(" ")}`, 100));
  return `${lines.join("\n")}\n`;
}

function commandRow(entry: Entry): [string, string] {
  const aliases = isGroup(entry) ? [] : (entry.aliases ?? []);
  return [[entry.name, ...aliases].join(", "), entry.summary];
}

function optionRow(option: OptionDefinition): [string, string] {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.value === undefined ? "" : ` ${option.value}`;
  return [`${short}--${option.long}${value}`, option.repeatable === true ? `${option.text} (repeatable)` : option.text];
}

function exampleRow([line, meaning]: readonly [string, string]): [string, string] {
  return [`pctl ${line}`, meaning];
}

/** Two columns; a left part that is too long gets a line of its own. */
function rows(pairs: readonly (readonly [string, string])[], least = 0): string[] {
  const width = Math.min(36, Math.max(least, ...pairs.map(([left]) => left.length)));
  return pairs.flatMap(([left, right]) =>
    left.length > width ? [`  ${left}`, `  ${" ".repeat(width)}  ${right}`] : [`  ${left.padEnd(width)}  ${right}`],
  );
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
