import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { channelStream } from "./channel-stream.ts";

const broken = (): Error => new Error("it broke");

test(
  "what the process says comes whole, and to end its input after its end is no error",
  { timeout: 30_000 },
  async () => {
    const child = spawn(process.execPath, ["-e", "process.stdout.write('hello')"]);
    const closed = once(child, "close");
    const channel = { process: child, input: child.stdin, output: child.stdout, said: () => "" };
    const stream = channelStream(() => Promise.resolve(channel), broken);
    assert.equal(await text(stream), "hello");
    await closed;
    assert.ok(child.stdin.destroyed);
    stream.end();
    await finished(stream, { readable: false });
  },
);

test("a process that ends badly breaks the stream", async () => {
  const child = spawn(process.execPath, ["-e", "process.exit(255)"]);
  const channel = { process: child, input: child.stdin, output: child.stdout, said: () => "" };
  await assert.rejects(text(channelStream(() => Promise.resolve(channel), broken)), /it broke/);
});
