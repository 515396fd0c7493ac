import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { isGroup } from "../arguments/definition.ts";
import { fullName } from "../arguments/help.ts";
import { buildProgram } from "../arguments/program.ts";
import { rootHelpText } from "../root-help.ts";
import { globalOptions } from "./globals.ts";
import { grammar } from "./index.ts";

const leaves = grammar.sections
  .flatMap(([, entries]) => entries)
  .flatMap((each) => (isGroup(each) ? each.commands : [each]));

const program = buildProgram(grammar, "0.0.0", () => undefined);

/** The help of every command, by what is typed for it. */
const helps = new Map(withSubcommands(program).map((each) => [fullName(each), helpOf(each)]));

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((each) => withSubcommands(each))];
}

/** With what is added after it, as it is printed. */
function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

test("the list of commands is the documented one", () => {
  assert.deepEqual(leaves.map((each) => each.name).sort(), [
    "abort",
    "check",
    "config",
    "deploy",
    "destroy",
    "doctor",
    "exec",
    "history",
    "init",
    "local start",
    "local status",
    "local stop",
    "logs",
    "plan",
    "promote",
    "providers",
    "restart",
    "rollback",
    "run",
    "scale",
    "schema",
    "start",
    "state rebuild",
    "state show",
    "state unlock",
    "status",
    "stop",
    "version",
  ]);
});

test("every command has two examples or more, and its help shows them", () => {
  for (const command of leaves) {
    assert.ok(command.examples.length >= 2, command.name);
    const help = helps.get(`pctl ${command.name}`) ?? "";
    for (const [line] of command.examples) assert.ok(help.includes(`pctl ${line}`), `${command.name}: ${line}`);
  }
});

test("no option of a command takes a name or letter of a global one", () => {
  const words = new Set(globalOptions.flatMap((each) => [each.long, each.short]).filter((each) => each !== undefined));
  for (const command of leaves) {
    for (const option of command.options) {
      assert.ok(!words.has(option.long) && !words.has(option.short ?? option.long), `${command.name} --${option.long}`);
    }
  }
});

test("no line of the help is wider than 120 columns", () => {
  for (const line of [...helps.values()].join("\n").split("\n")) assert.ok(line.length <= 120, line);
});

test("pctl --help says what the definitions say", () => {
  assert.equal(rootHelpText, helps.get("pctl"));
});

test("pctl rollback --help", () => {
  assert.equal(
    helps.get("pctl rollback"),
    `pctl rollback: undo the last change, or bring a service's older release back

Shows the difference first, and asks on a terminal. Runs no job again; services with volumes only by name.

Usage: pctl rollback [options] [service]

Options
      --to <N>          release to go to, with a service (default: the one before)
      --change <N>      undo this change, when those after it were taken back already
  -m, --message <TEXT>  kept with the change, shown by history

Options of every command (pctl --help): --config --name --env --env-file --json --yes --quiet --debug
--timeout --lock-wait --no-color --help

Examples
  pctl rollback              undo the last change
  pctl rollback web --to 12  web as it was in release 12
  pctl rollback --change 41  change 42 failed and was reverted: undo the one before
  pctl rollback --yes        without asking
`,
  );
});
