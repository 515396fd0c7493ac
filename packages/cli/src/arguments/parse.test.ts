import assert from "node:assert/strict";
import { test } from "node:test";
import { grammar } from "../definitions/index.ts";
import type { Invocation } from "./invocation.ts";
import { nearest } from "./nearest.ts";
import { parseCommandLine } from "./parse.ts";
import { UsageError, type Guess } from "./usage-error.ts";

function parse(...words: string[]): Invocation {
  const parsed = parseCommandLine(words, grammar);
  if (parsed.kind !== "run") throw new Error(`not a command but ${parsed.kind}`);
  return parsed.invocation;
}

function refusal(...words: string[]): UsageError {
  try {
    parseCommandLine(words, grammar);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`accepted: ${words.join(" ")}`);
}

function guess(...words: string[]): string | undefined {
  const { hint } = refusal(...words);
  const { word, known } = hint as Guess; // these cases all end in a guess
  return nearest(word, known);
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
  assert.deepEqual(parse("run", "web", "bin/console", "--verbose").rest, ["bin/console", "--verbose"]);
});

test("two words are one command", () => {
  assert.equal(parse("state", "--json", "show").command.name, "state show");
  assert.match(refusal("state").message, /wants one more word/);
});

test("durations and whole numbers are checked", () => {
  assert.equal(parse("deploy", "--timeout", "5m").durationMs("timeout"), 300_000);
  assert.equal(parse("deploy", "--lock-wait", "30s").durationMs("lock-wait"), 30_000);
  assert.equal(parse("deploy", "--timeout", "1").durationMs("timeout"), 1000);
  assert.throws(
    () => parse("deploy", "--timeout", "soon").durationMs("timeout"),
    /--timeout wants a duration such as 30s or 5m, got 'soon'/,
  );
  assert.throws(() => parse("logs", "--tail", "-1"), /--tail wants a value/);
  assert.throws(() => parse("logs", "--tail=-1").integer("tail"), /whole number/);
});

test("a wrong word gets the nearest right one", () => {
  assert.equal(guess("deplyo"), "deploy");
  assert.equal(guess("Status"), "status");
  assert.equal(guess("apply"), "deploy");
  assert.equal(guess("state", "rebiuld"), "state rebuild");
  assert.equal(guess("deploy", "--expct", "x"), "--expect");
  assert.equal(guess("xyzzy"), undefined);
});

test("what is missing or too much is said with an example", () => {
  assert.equal(refusal("exec").message, "pctl exec wants <service> <command...>");
  assert.equal(refusal("exec").hint, "For example: pctl exec web sh");
  assert.equal(refusal("check", "web").message, "pctl check has no use for 'web'");
  assert.equal(refusal("deploy", "--yes=1").message, "--yes takes no value, got '1'");
  assert.equal(refusal("deploy", "--expect").message, "--expect wants a value: --expect HASH");
});

test("help and version are found wherever they stand", () => {
  assert.deepEqual(parseCommandLine([], grammar), { kind: "help" });
  assert.deepEqual(parseCommandLine(["--help"], grammar), { kind: "help" });
  assert.deepEqual(parseCommandLine(["--version"], grammar), { kind: "version" });
  for (const words of [
    ["deploy", "--help"],
    ["help", "deploy"],
    ["help", "up"],
    ["exec", "-h"],
  ]) {
    const parsed = parseCommandLine(words, grammar);
    assert.equal(parsed.kind === "help" && parsed.of?.name, words.includes("exec") ? "exec" : "deploy");
  }
});
