import { strict as assert } from "node:assert";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { openSession } from "./command-session.ts";
import type { SessionRequest } from "./command-session.ts";
import { temporaryFolder } from "./fixtures.test.support.ts";

const never = new AbortController().signal;

function open(command: readonly string[], change: Partial<SessionRequest> = {}) {
  return openSession({
    command,
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "" },
    terminal: undefined,
    signal: never,
    ...change,
  });
}

async function all(session: { stdout: Readable; stderr: Readable; exit: Promise<number> }) {
  const [stdout, stderr, exit] = await Promise.all([text(session.stdout), text(session.stderr), session.exit]);
  return { stdout, stderr, exit };
}

test("output, input and exit code pass through", async () => {
  const session = open(["sh", "-c", "cat; echo oops >&2; exit 7"]);
  session.stdin.end("hello\n");
  assert.deepEqual(await all(session), { stdout: "hello\n", stderr: "oops\n", exit: 7 });
});

test("the environment is exact and complete", async () => {
  const value = `line\n"quoted" '$HOME' \`x\` 🚀 ${"y".repeat(100_000)}`;
  const session = open([process.execPath, "-e", "process.stdout.write(JSON.stringify(process.env))"], {
    env: { VALUE: value },
  });
  assert.deepEqual(JSON.parse((await all(session)).stdout), { VALUE: value });
});

test("a signal is 128 and its number", async () => {
  assert.equal(await open(["sh", "-c", "kill -TERM $$"]).exit, 143);
  const session = open(["sleep", "60"]);
  session.kill("SIGKILL");
  assert.equal(await session.exit, 137);
});

test("what cannot be started ends with 127 or 126, and says so", async (t) => {
  assert.deepEqual(await all(open(["no-such-program"])), {
    stdout: "",
    stderr: "no-such-program: not found\n",
    exit: 127,
  });
  const file = join(await temporaryFolder(t), "plain");
  await writeFile(file, "");
  await chmod(file, 0o644);
  assert.deepEqual(await all(open([file])), { stdout: "", stderr: `${file}: not executable\n`, exit: 126 });
});

test("cancelling ends the command and what it started", async () => {
  const controller = new AbortController();
  const session = open(["sh", "-c", "sleep 60 & echo $!; wait"], { signal: controller.signal });
  session.stdout.once("data", () => controller.abort());
  assert.equal(await session.exit, 143);
});

test("what a command leaves running does not hold it up", async () => {
  const session = open(["sh", "-c", "sleep 5 & echo $!"]);
  const chunks: Buffer[] = [];
  session.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  assert.equal(await session.exit, 0);
  process.kill(Number(Buffer.concat(chunks).toString()), "SIGKILL");
});

test("a terminal that cannot be handed over is refused", () => {
  assert.throws(() => open(["sh"], { terminal: { columns: 80, rows: 24, inherit: false } }), { code: "UNSUPPORTED" });
});
