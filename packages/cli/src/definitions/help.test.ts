import assert from "node:assert/strict";
import { test } from "node:test";
import { commandHelp, rootHelp } from "../arguments/help.ts";
import { rootHelpText } from "../root-help.ts";
import { isGroup } from "../arguments/definition.ts";
import { globalOptions } from "./globals.ts";
import { grammar, sections } from "./index.ts";

const leaves = grammar.commands.flatMap((each) => (isGroup(each) ? each.commands : [each]));

test("the list of commands is the one of the issue", () => {
  assert.deepEqual(leaves.map((each) => each.name).sort(), [
    "check",
    "config",
    "deploy",
    "destroy",
    "doctor",
    "exec",
    "history",
    "init",
    "local status",
    "local stop",
    "logs",
    "plan",
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
    const help = commandHelp(command, globalOptions);
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
  const all = [
    rootHelp(sections, globalOptions),
    ...grammar.commands.map((each) => commandHelp(each, globalOptions)),
    ...leaves.map((each) => commandHelp(each, globalOptions)),
  ];
  for (const line of all.join("\n").split("\n")) assert.ok(line.length <= 120, line);
});

test("pctl --help says what the definitions say", () => {
  assert.equal(rootHelpText, rootHelp(sections, globalOptions));
});

test("pctl rollback --help", () => {
  const command = leaves.find((each) => each.name === "rollback");
  assert.ok(command !== undefined);
  assert.equal(
    commandHelp(command, globalOptions),
    `pctl rollback: undo the last change, or bring a service's older release back

Shows the difference first, and asks on a terminal. Runs no job again; services with volumes only by
name.

Usage: pctl rollback [options] [service]

Options
      --to N          release to go to, with a service (default: the one before)
  -m, --message TEXT  kept with the change, shown by history

Examples
  pctl rollback              undo the last change
  pctl rollback web --to 12  web as it was in release 12
  pctl rollback --yes        without asking

Options of every command (pctl --help): --config --name --env --env-file --json --yes --quiet
--debug --timeout --lock-wait --no-color --help --version
`,
  );
});
