import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import type { ExecRequest, ExecSession, RunRequest } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { rejects } from "../expect.ts";
import type { Service } from "../service.ts";
import { serves } from "../spec.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
}

async function ended(session: ExecSession, stdin = ""): Promise<Ended> {
  // What ends without reading breaks its input: that is no news.
  session.stdin.on("error", () => undefined);
  session.stdin.end(stdin);
  const [code, stdout] = await Promise.all([session.exit, text(session.stdout), text(session.stderr)]);
  return { code, stdout };
}

async function exec(bench: Bench, web: Service, request: Omit<ExecRequest, "instance">, stdin = ""): Promise<Ended> {
  return ended(await bench.provider.exec({ instance: web.instance, ...request }, bench.context()), stdin);
}

async function runOnce(bench: Bench, web: Service, request: Omit<RunRequest, "instance">): Promise<Ended> {
  return ended(await bench.provider.run({ instance: web.instance, ...request }, bench.context()));
}

export const execGroup = group("exec", ["deploy", "exec"], {
  "prints-what-it-prints": [
    "The output of a command comes byte for byte, and its code is 0.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const told = await exec(bench, web, { command: bench.harness.commands.print("a  b ünï 'quoted' $HOME") });
      assert.deepEqual(told, { code: 0, stdout: "a  b ünï 'quoted' $HOME\n" });
    },
  ],
  "ends-with-its-code": [
    "The exit code is the command's own.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      assert.equal((await exec(bench, web, { command: bench.harness.commands.exit(42) })).code, 42);
    },
  ],
  "reads-its-input": [
    "What is written to its input reaches the command, and its end too.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const input = "line one\nline two without an end";
      const { code, stdout } = await exec(bench, web, { command: bench.harness.commands.copy }, input);
      assert.deepEqual([code, stdout], [0, input]);
    },
  ],
  "has-the-environment-of-its-replica": [
    "A command sees the environment of the program.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { env: { GREETING: "hello there" } });
      const { stdout } = await exec(bench, web, { command: bench.harness.commands.variable("GREETING") });
      assert.equal(stdout, "hello there\n");
    },
  ],
  "runs-in-the-replica-that-is-named": [
    "`replica` chooses where it runs, and an unknown one is `NOT_FOUND`.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      const [, second] = await web.running();
      assert.ok(second !== undefined);
      const command = bench.harness.commands.print("here");
      assert.equal((await exec(bench, web, { command, replica: second.name })).stdout, "here\n");
      await rejects(exec(bench, web, { command, replica: `${second.name}9` }), "NOT_FOUND");
    },
  ],
  "needs-something-that-runs": [
    "Without a replica that runs it is `NOT_FOUND`.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await web.stop();
      await rejects(exec(bench, web, { command: bench.harness.commands.print("here") }), "NOT_FOUND");
    },
  ],
  "leaves-the-program-alone": [
    "The program runs on, the same one.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const before = await web.running();
      await exec(bench, web, { command: bench.harness.commands.exit(1) });
      assert.deepEqual(await web.running(), before);
    },
  ],
});

export const run = group("run", ["deploy"], {
  "runs-a-command-of-a-release": [
    "`run` gives output and exit code of a command.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"));
      const { print, exit } = bench.harness.commands;
      assert.deepEqual(await runOnce(bench, web, { release, command: print("hello") }), { code: 0, stdout: "hello\n" });
      assert.equal((await runOnce(bench, web, { release, command: exit(9) })).code, 9);
    },
  ],
  "has-the-environment-of-its-release": [
    "`run` sees the environment of the release that it is given, not of the one that serves.",
    async (bench) => {
      const web = await bench.service();
      const older = await web.up(serves("one"), { env: { MODE: "then" } });
      await web.up(serves("one"), { env: { MODE: "now" } });
      const command = bench.harness.commands.variable("MODE");
      assert.equal((await runOnce(bench, web, { release: older, command })).stdout, "then\n");
    },
  ],
  "leaves-nothing-and-takes-no-traffic": [
    "`run` leaves no replica, and replaces none.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"));
      const before = await web.look();
      await runOnce(bench, web, { release, command: bench.harness.commands.print("hello") });
      assert.deepEqual(await web.look(), before);
      assert.equal(await web.answers(), "one");
    },
  ],
});
