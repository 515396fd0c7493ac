import type { Command, Help } from "commander";

/** Heading of the options that each command has; it tells them apart from a command's own. */
export const globalsHeading = "Options of every command";

type Row = readonly [string, string];

/** What is typed for a command: `pctl state show`. */
export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

/** `Command.configureHelp`: what it is, usage, commands under their headings, options; of a command, its own options only. */
export function formatHelp(command: Command, helper: Help): string {
  const isRoot = command.parent === null;
  const about = command.description();
  const head = isRoot ? [about] : [`${fullName(command)}: ${command.summary()}`, ...(about === "" ? [] : ["", about])];
  const width = helper.helpWidth ?? 80;
  const options = helper.visibleOptions(command);
  const own = options.filter((each) => each.helpGroupHeading !== globalsHeading);
  const shared = options.filter((each) => each.helpGroupHeading === globalsHeading);
  const groups = helper.groupItems([...command.commands], visibleCommands(command, helper), (each) => each.helpGroup());
  const rowOf = (each: (typeof options)[number]): Row => [optionTerm(each), each.description];
  const commandWidth = widest(command.commands.map(commandRow));
  const lines = [
    ...head.flatMap((text) => helper.boxWrap(text, width)),
    "",
    `Usage: ${helper.commandUsage(command)}`,
    "",
    ...[...groups].flatMap(([heading, commands]) => list(heading, commands.map(commandRow), helper, commandWidth)),
    ...list("Options", own.map(rowOf), helper),
  ];
  if (isRoot) lines.push(...list(globalsHeading, shared.map(rowOf), helper));
  else
    lines.push(helper.boxWrap(`${globalsHeading} (pctl --help): ${shared.map((each) => each.long).join(" ")}`, width));
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Stands under a command's help. */
export function examplesText(examples: readonly Row[]): string {
  const width = widest(examples);
  return ["", "Examples", ...examples.map(([line, meaning]) => `  pctl ${line.padEnd(width)}  ${meaning}`)].join("\n");
}

/** Without `help`, which is an option as well. */
function visibleCommands(command: Command, helper: Help): Command[] {
  return helper.visibleCommands(command).filter((each) => each.name() !== "help");
}

function commandRow(command: Command): Row {
  return [[command.name(), ...command.aliases()].join(", "), command.summary()];
}

function optionTerm({ short, flags }: { readonly short?: string | undefined; readonly flags: string }): string {
  return short === undefined ? `    ${flags}` : flags;
}

function list(heading: string, rows: readonly Row[], helper: Help, width = widest(rows)): string[] {
  const items = rows.map(([term, text]) => helper.formatItem(term, width, text, helper));
  return helper.formatItemList(heading, items, helper);
}

function widest(rows: readonly Row[]): number {
  return Math.max(0, ...rows.map(([left]) => left.length));
}
