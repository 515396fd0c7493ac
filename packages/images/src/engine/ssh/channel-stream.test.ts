import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { channelStream } from "./channel-stream.ts";
import type { Channel } from "./channel.ts";

/** A process as what is at the other end: it ends well with the exit code 0. */
function processChannel(child: ChildProcessWithoutNullStreams): Channel {
  return {
    input: child.stdin,
    output: child.stdout,
    ended: new Promise((resolve) => child.once("close", (code) => resolve(code === 0))),
    said: () => "",
    end: () => Promise.resolve(void child.kill()),
    ref: () => child.ref(),
    unref: () => child.unref(),
  };
}

const broken = (): Error => new Error("it broke");

test(
  "what the process says comes whole, and to end its input after its end is no error",
  { timeout: 30_000 },
  async () => {
    const child = spawn(process.execPath, ["-e", "process.stdout.write('hello')"]);
    const closed = once(child, "close");
    const stream = channelStream(() => Promise.resolve(processChannel(child)), broken);
    assert.equal(await text(stream), "hello");
    await closed;
    assert.ok(child.stdin.destroyed);
    stream.end();
    await finished(stream, { readable: false });
  },
);

test("a process that ends badly breaks the stream", async () => {
  const child = spawn(process.execPath, ["-e", "process.exit(255)"]);
  const channel = processChannel(child);
  await assert.rejects(text(channelStream(() => Promise.resolve(channel), broken)), /it broke/);
});

/** Closes its input in the middle of a request, and answers a moment later. */
const refusesTheRest = `
head -c 100 > /dev/null
exec < /dev/null
sleep 0.3
printf 'HTTP/1.1 500 No Room\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nfull'`;

test(
  "an answer that comes before all was sent is read, also where nobody takes the rest",
  { timeout: 30_000 },
  async () => {
    const agent = new Agent();
    agent.createConnection = () =>
      channelStream(() => {
        const child = spawn("sh", ["-c", refusesTheRest]);
        child.stdin.on("error", () => undefined);
        return Promise.resolve(processChannel(child));
      }, broken);
    const sent = request({ agent, host: "engine", method: "POST" });
    const more = setInterval(() => void sent.write(Buffer.alloc(1024 * 1024)), 20);
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      assert.equal(response.statusCode, 500);
      assert.equal(await text(response), "full");
    } finally {
      clearInterval(more);
      sent.on("error", () => undefined).destroy();
    }
  },
);

/** Answers each request, until a signal ends it with 0. */
const answersEach = `
let asked = "";
process.stdin.on("data", (chunk) => {
  asked += chunk;
  if (!asked.endsWith("\\r\\n\\r\\n")) return;
  asked = "";
  process.stdout.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok");
});
process.on("SIGUSR1", () => process.exit(0));`;

test("a channel that ended while it was kept is not used for the next request", { timeout: 30_000 }, async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const children: ReturnType<typeof open>[] = [];
  const open = () => spawn(process.execPath, ["-e", answersEach]);
  agent.createConnection = () =>
    channelStream(() => {
      const child = open();
      children.push(child);
      return Promise.resolve(processChannel(child));
    }, broken);
  const post = async (): Promise<boolean> => {
    const sent = request({ agent, host: "engine", method: "POST" });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    assert.equal(await text(response), "ok");
    return sent.reusedSocket;
  };
  assert.equal(await post(), false);
  assert.equal(await post(), true);
  const [first] = children;
  assert.ok(first !== undefined);
  const ended = once(first, "close");
  first.kill("SIGUSR1");
  assert.deepEqual(await ended, [0, null]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await post(), false);
  assert.equal(children.length, 2);
  agent.destroy();
});
