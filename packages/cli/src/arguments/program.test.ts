import assert from "node:assert/strict";
import { test } from "node:test";
import { grammar } from "../definitions/index.ts";
import type { Invocation } from "./invocation.ts";
import { readCommandLine } from "./program.ts";
import { UsageError } from "./usage-error.ts";

function parse(...words: string[]): Invocation {
  const invocation = readCommandLine(words, grammar, "0.0.0");
  if (invocation === undefined) throw new Error(`not a command but help: ${words.join(" ")}`);
  return invocation;
}

function refusal(...words: string[]): UsageError {
  try {
    readCommandLine(words, grammar, "0.0.0");
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`accepted: ${words.join(" ")}`);
}

test("global options stand before and after the command", () => {
  for (const words of [
    ["--env", "staging", "-c", "x.yaml", "deploy", "web"],
    ["deploy", "web", "--env=staging", "-cx.yaml"],
    ["-c", "x.yaml", "deploy", "--env", "staging", "web"],
  ]) {
    const invocation = parse(...words);
    assert.equal(invocation.command.name, "deploy");
    assert.equal(invocation.text("env"), "staging");
    assert.equal(invocation.text("config"), "x.yaml");
    assert.deepEqual(invocation.positionals, ["web"]);
  }
});

test("aliases are the commands they stand for", () => {
  assert.equal(parse("up").command.name, "deploy");
  assert.equal(parse("down").command.name, "destroy");
  assert.equal(parse("ps").command.name, "status");
});

test("the last value counts, and all of a repeatable option", () => {
  const invocation = parse("deploy", "--expect", "a", "--expect", "b", "--remove", "db", "--remove=cache");
  assert.equal(invocation.text("expect"), "b");
  assert.deepEqual(invocation.list("remove"), ["db", "cache"]);
});

test("after exec's service all belongs to the command", () => {
  const invocation = parse("exec", "-it", "web", "sh", "-c", "echo hi", "--json", "--", "-x");
  assert.deepEqual(invocation.positionals, ["web"]);
  assert.deepEqual(invocation.rest, ["sh", "-c", "echo hi", "--json", "--", "-x"]);
  assert.equal(invocation.flag("json"), false);
  assert.equal(invocation.flag("tty") && invocation.flag("interactive"), true);
});

test("exec takes a command after dashes too", () => {
  assert.deepEqual(parse("exec", "web", "--", "ls", "-l").rest, ["ls", "-l"]);
  assert.deepEqual(parse("--env", "x", "exec", "--replica", "shop-web-2", "web", "ls").rest, ["ls"]);
});

test("run takes its options before and after the service, and the command after dashes", () => {
  const invocation = parse("run", "web", "--release", "14", "--", "sh", "--login");
  assert.deepEqual(invocation.positionals, ["web"]);
  assert.deepEqual(invocation.rest, ["sh", "--login"]);
  assert.equal(invocation.integer("release"), 14);
  assert.deepEqual(parse("run", "web").rest, []);
  assert.deepEqual(parse("run", "web", "bin/console", "-T").rest, ["bin/console"]);
  assert.equal(refusal("run", "web", "bin/console", "--verbose").message, "unknown option '--verbose'");
});

test("two words are one command", () => {
  assert.equal(parse("state", "--json", "show").command.name, "state show");
  assert.equal(refusal("state").message, "a command is missing after 'pctl state'");
  assert.equal(refusal("state").hint, "It is one of: pctl state show, pctl state rebuild, pctl state unlock.");
});

test("durations and whole numbers are checked", () => {
  assert.equal(parse("deploy", "--timeout", "5m").durationMs("timeout"), 300_000);
  assert.equal(parse("deploy", "--lock-wait", "30s").durationMs("lock-wait"), 30_000);
  assert.equal(parse("deploy", "--timeout", "1").durationMs("timeout"), 1000);
  assert.throws(
    () => parse("deploy", "--timeout", "soon").durationMs("timeout"),
    /--timeout wants a duration such as 30s or 5m, got 'soon'/,
  );
  assert.throws(() => parse("logs", "--tail", "-1").integer("tail"), /whole number/);
  assert.throws(() => parse("logs", "--tail=-1").integer("tail"), /whole number/);
});

test("a wrong word gets the nearest right one", () => {
  assert.equal(refusal("deplyo").hint, "Did you mean pctl deploy?");
  assert.equal(refusal("Status").hint, "Did you mean pctl status?");
  assert.equal(refusal("apply").hint, "Did you mean pctl deploy?");
  assert.equal(refusal("state", "rebiuld").hint, "Did you mean pctl state rebuild?");
  assert.equal(refusal("deploy", "--expct", "x").hint, "Did you mean --expect?");
  assert.equal(refusal("deploy", "--tiemout", "x").hint, "Did you mean --timeout?");
  assert.equal(refusal("xyzzy").hint, "pctl --help lists all commands.");
  assert.equal(refusal("help", "xyzzy").message, "unknown command 'xyzzy'");
});

test("what is missing or too much is said with an example", () => {
  assert.equal(refusal("exec").message, "missing required argument 'service'");
  assert.equal(refusal("exec").hint, "For example: pctl exec web sh");
  assert.equal(refusal("check", "web").message, "too many arguments for 'check'. Expected 0 arguments but got 1: web.");
  assert.equal(refusal("deploy", "--yes=1").message, "unknown option '--yes=1'");
  assert.equal(refusal("deploy", "--expect").message, "option '--expect <HASH>' argument missing");
  assert.equal(refusal("deploy", "--version").message, "unknown option '--version'");
  assert.equal(refusal("--json").message, "a command is missing after 'pctl'");
});

test("what was understood before a mistake is kept, so that the error comes as it was asked for", () => {
  const { invocation } = refusal("deploy", "--json", "--expct", "x");
  assert.equal(invocation?.command.name, "deploy");
  assert.equal(invocation.flag("json"), true);
});

test("an option that says no is another one than its yes", () => {
  assert.equal(parse("status").flag("no-color"), false);
  assert.equal(parse("status", "--no-color").flag("no-color"), true);
  const invocation = parse("exec", "-T", "web", "ls");
  assert.deepEqual([invocation.flag("no-tty"), invocation.flag("tty")], [true, false]);
});
