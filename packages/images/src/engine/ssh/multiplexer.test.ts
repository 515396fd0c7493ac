import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { SshEndpoint } from "../endpoint.ts";
import { message, ownWindow, type MultiplexedChannel } from "./multiplexed-channel.ts";
import { openMultiplexer, session, toAddress, toSocket, type Multiplexer } from "./multiplexer.ts";
import { messages, string, uint32, WireReader } from "./wire.ts";

const endpoint: SshEndpoint = { kind: "ssh", host: "shop.example", sudo: false };
const signal = new AbortController().signal;
const granted = 0x8000000f;

type Hear = (type: number, values: WireReader, say: (type: number, ...values: Buffer[]) => void) => void;

/** What stands for `ssh` and the host behind it, as PROTOCOL.mux and RFC 4254 describe them; `hear` is the host. */
async function connected(t: TestContext, hear: Hear, answer = granted): Promise<{ ours: Multiplexer; theirs: Socket }> {
  const folder = mkdtempSync(join(tmpdir(), "mux-"));
  const server = createServer().listen(join(folder, "control"));
  await once(server, "listening");
  const taken = once(server, "connection") as Promise<[Socket]>;
  t.after(() => {
    server.close();
    void taken.then(([socket]) => socket.destroy());
    rmSync(folder, { recursive: true });
  });
  const opening = openMultiplexer(endpoint, join(folder, "control"));
  const [theirs] = await taken;
  const say = (type: number, ...values: Buffer[]): void =>
    void theirs.write(string(Buffer.concat([Buffer.from([0, type]), ...values])));
  let heard = 0;
  theirs.on("error", () => undefined);
  theirs.on(
    "data",
    messages((bytes) => {
      const values = new WireReader(bytes);
      heard += 1;
      if (heard === 1) return void theirs.write(string(Buffer.concat([uint32(1), uint32(4)])));
      if (heard === 2) return void theirs.write(string(Buffer.concat([uint32(answer), uint32(0)])));
      values.byte();
      hear(values.byte(), values, say);
    }),
  );
  return { ours: await opening, theirs };
}

/** What the host reads of an `open`; then it confirms it as its own channel 70. */
function confirm(
  values: WireReader,
  say: Parameters<Hear>[2],
  window = 1024,
  packet = 512,
): { type: string; id: Buffer } {
  const type = values.text();
  const id = uint32(values.uint32());
  say(message.openConfirmation, id, uint32(70), uint32(window), uint32(packet));
  return { type, id };
}

async function channelOf(ours: Multiplexer, to = session): Promise<MultiplexedChannel> {
  const channel = await ours.open(to, signal);
  assert.ok(channel !== "gone" && !("reason" in channel));
  return channel;
}

test("no more is sent than the host takes, and all of it comes back", async (t) => {
  let id = uint32(0);
  let room = 10;
  const { ours } = await connected(t, (type, values, say) => {
    if (type === message.open) {
      const opened = confirm(values, say, room, 4);
      assert.equal(opened.type, "direct-tcpip");
      id = opened.id;
      return;
    }
    assert.equal(values.uint32(), 70);
    if (type === message.data) {
      const bytes = values.bytes();
      assert.ok(bytes.length <= 4);
      room -= bytes.length;
      assert.ok(room >= 0);
      say(message.data, id, string(bytes));
      if (room > 0) return;
      room += 7;
      say(message.windowAdjust, id, uint32(7));
    } else if (type === message.eof) {
      say(message.eof, id);
      say(message.close, id);
    }
  });
  const channel = await channelOf(ours, toAddress({ host: "172.17.0.2", port: 80 }));
  const sent = Buffer.from("abcdefghij".repeat(100));
  channel.input.end(sent);
  assert.deepEqual(await buffer(channel.output), sent);
  assert.equal(await channel.ended, true);
});

test("the host may send more as it is taken, and nothing while it is not", async (t) => {
  let room = 0;
  let left = 3 * ownWindow;
  let id = uint32(0);
  const { ours } = await connected(t, (type, values, say) => {
    if (type === message.open) {
      ({ id } = confirm(values, say));
      room = values.uint32();
    } else if (type === message.windowAdjust) {
      values.uint32();
      room += values.uint32();
    } else return;
    while (room > 0 && left > 0) {
      const length = Math.min(room, left, 32 * 1024);
      room -= length;
      left -= length;
      say(message.data, id, string(Buffer.alloc(length, 1)));
    }
    if (left > 0) return;
    say(message.eof, id);
    say(message.close, id);
  });
  const channel = await channelOf(ours, toSocket("/run/docker.sock"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(left, 2 * ownWindow);
  assert.equal((await buffer(channel.output)).length, 3 * ownWindow);
  assert.equal(await channel.ended, true);
});

test("a command: its exit code, what it says, and the question whether we are alive", async (t) => {
  const answers: number[] = [];
  const { ours } = await connected(t, (type, values, say) => {
    if (type === message.open) return void confirm(values, say);
    if (type === message.failure) answers.push(values.uint32());
    if (type !== message.request) return;
    values.uint32();
    assert.equal(values.text(), "exec");
    const id = uint32(1);
    say(message.success, id);
    say(message.extendedData, id, uint32(1), string("docker: not found\n"));
    say(message.request, id, string("keepalive@openssh.com"), Buffer.from([1]));
    say(message.request, id, string("exit-status"), Buffer.from([0]), uint32(127));
    say(message.close, id);
  });
  const channel = await channelOf(ours);
  channel.exec("docker");
  channel.output.resume();
  assert.equal(await channel.ended, false);
  assert.equal(channel.exitCode, 127);
  assert.equal(channel.said(), "docker: not found\n");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(answers, [70]);
});

test("what is refused says why, and who does not wait any more leaves nothing open", async (t) => {
  let id = uint32(0);
  const closed = Promise.withResolvers<number>();
  const opened = Promise.withResolvers<() => void>();
  const { ours } = await connected(t, (type, values, say) => {
    if (type === message.close) closed.resolve(values.uint32());
    if (type !== message.open) return;
    const kind = values.text();
    id = uint32(values.uint32());
    if (kind === "session") say(message.openFailure, id, uint32(2), string("open failed"), string(""));
    else if (kind === "direct-tcpip") say(message.openFailure, id, uint32(1), string("open failed"), string(""));
    else opened.resolve(() => say(message.openConfirmation, id, uint32(70), uint32(1024), uint32(512)));
  });
  assert.deepEqual(await ours.open(session, signal), { isForbidden: false, reason: "open failed" });
  const address = toAddress({ host: "172.17.0.2", port: 80 });
  assert.deepEqual(await ours.open(address, signal), { isForbidden: true, reason: "open failed" });
  assert.equal(ours.refusals, 2);
  const given = new AbortController();
  const waiting = ours.open(toSocket("/run/docker.sock"), given.signal);
  const confirmLate = await opened.promise;
  given.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  confirmLate();
  assert.equal(await closed.promise, 70);
});

test("a connection that is cut ends its channels badly, and opens none", async (t) => {
  const { ours, theirs } = await connected(t, (type, values, say) => {
    if (type !== message.open) return;
    const { id } = confirm(values, say);
    say(message.data, id, string("half"));
  });
  const channel = await channelOf(ours);
  channel.input.write(Buffer.alloc(4096));
  const heard = buffer(channel.output);
  setTimeout(() => theirs.destroy(), 20);
  assert.equal((await heard).toString(), "half");
  assert.equal(await channel.ended, false);
  await ours.gone;
  assert.ok(ours.isGone);
  assert.equal(await ours.open(session, signal), "gone");
});

test("an `ssh` that does not share its connection is told as such", async (t) => {
  const failure = 0x80000003;
  await assert.rejects(
    connected(t, () => undefined, failure),
    (error) => isCtrlPlaneError(error) && error.code === "UNSUPPORTED" && /ssh:\/\/shop\.example/.test(error.message),
  );
});

test("a socket that ends is closed by both sides, also in the middle of a request, and what is written to it then goes nowhere", async (t) => {
  let id = uint32(0);
  const heard: number[] = [];
  const closed = Promise.withResolvers<void>();
  const { ours } = await connected(t, (type, values, say) => {
    if (type === message.open) {
      ({ id } = confirm(values, say));
      return;
    }
    heard.push(type);
    // As sshd tells that the engine behind the socket died: it keeps the channel until it hears that nothing more comes.
    if (heard.length === 1) say(message.eof, id);
    if (type === message.eof) say(message.close, id);
    if (type === message.close) closed.resolve();
  });
  const channel = await channelOf(ours, toSocket("/run/docker.sock"));
  channel.output.resume();
  channel.input.write("POST /start");
  await once(channel.output, "end");
  channel.input.write("more");
  assert.equal(await channel.ended, true);
  await closed.promise;
  assert.deepEqual(heard, [message.data, message.eof, message.close]);
});
