import assert from "node:assert/strict";
import { test } from "node:test";
import { commandHelp, rootHelp } from "../arguments/help.ts";
import { isGroup } from "../arguments/definition.ts";
import { globalOptions } from "./globals.ts";
import { grammar, sections } from "./index.ts";

const leaves = grammar.commands.flatMap((each) => (isGroup(each) ? each.commands : [each]));

test("the list of commands is the one of the issue", () => {
  assert.deepEqual(leaves.map((each) => each.name).sort(), [
    "check", "config", "deploy", "destroy", "doctor", "exec", "history", "init", "local status", "local stop", "logs", "plan",
    "providers", "restart", "rollback", "run", "scale", "schema", "start", "state rebuild", "state show", "state unlock", "status",
    "stop", "version",
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
  const all = [rootHelp(sections, globalOptions), ...grammar.commands.map((each) => commandHelp(each, globalOptions)), ...leaves.map((each) => commandHelp(each, globalOptions))];
  for (const line of all.join("\n").split("\n")) assert.ok(line.length <= 120, line);
});

test("pctl --help", () => {
  assert.equal(
    rootHelp(sections, globalOptions),
    `pctl deploys the services of pctl.yaml, and keeps them running the way it says.

Usage: pctl <command> [options]

Begin
  init           write a first pctl.yaml for this folder
  check          all problems of the file, before anything is touched
  doctor         check this machine and every provider, and say what to do

Change
  plan           show what deploy would do, and change nothing
  deploy, up     bring what runs to what the file declares
  destroy, down  remove services; volumes stay unless asked for
  rollback       undo the last change, or bring a service's older release back
  scale          change the number of replicas, until the next deploy
  start          start services that were stopped
  stop           stop services; start or deploy brings them back
  restart        replace every replica by a new one of the same release

Look
  status, ps     what runs, which release, how well
  logs           what services print
  exec           run a command in a running replica
  run            run a command in a fresh replica, without traffic
  history        changes and releases; one of them with its output
  config         the file as it was understood: environment merged, expressions resolved, values masked
  providers      the platforms of this stack, and what they can do

Keep up
  state          the state file and the lease: show, rebuild, unlock
  local          the processes behind the provider \`local\`: status, stop
  schema         the JSON Schema of pctl.yaml
  version        versions of pctl and Node

Options of every command
  -c, --config FILE     the declaration (default pctl.yaml)
      --name NAME       name of the stack, instead of the file's
      --env NAME        environment (default $PCTL_ENV)
      --env-file FILE   where secrets are looked up, after the environment (repeatable)
      --json            one JSON document, or one event a line
  -y, --yes             do not ask
  -q, --quiet           errors and the last line only
      --debug           stack traces, and calls of providers
      --timeout TIME    give up after this time, e.g. 10m
      --lock-wait TIME  wait this long for somebody else's change (default: as long as a lease runs)
      --no-color        no colours (also NO_COLOR=1)
  -h, --help            help on pctl, or on a command
  -V, --version         the version of pctl

pctl <command> --help says more, with examples. A first time: pctl init, pctl plan, pctl deploy.
`,
  );
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
