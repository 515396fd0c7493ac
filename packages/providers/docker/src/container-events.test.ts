import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ContainerEvents } from "./container-events.ts";
import { EventStreams, eventText, idle, settled } from "./event-streams.test.support.ts";

const never = { reopenMs: Infinity, lingerMs: 2 ** 31 - 1 };

/** A wait for a container: how often it was told that it changed. */
function listener(id: string) {
  const seen = { id, times: 0, changed: () => void (seen.times += 1) };
  return seen;
}

async function live(pauses = never, ...ids: readonly string[]) {
  const streams = new EventStreams();
  const events = new ContainerEvents({ description: "an engine", stream: streams.stream }, pauses);
  const listeners = ids.map(listener);
  for (const each of listeners) events.add(each);
  events.open();
  await settled("the stream is open", () => events.isLive);
  return { streams, events, listeners };
}

test("two waits share one stream; each is told of its own container, and once when events begin to be told", async () => {
  const { streams, events, listeners } = await live(never, "a", "b", "a");
  events.open();
  streams.tell("a", "die");
  streams.tell("c", "die");
  await settled("a is told", () => listeners[0]?.times === 2);
  await idle();
  assert.deepEqual(
    listeners.map(({ times }) => times),
    [2, 1, 2],
  );
  assert.equal(streams.opened.length, 1);
  const [{ request } = { request: undefined }] = streams.opened;
  assert.deepEqual(
    [request?.method, request?.path, request?.query],
    [
      "GET",
      "/events",
      {
        filters: {
          type: ["container"],
          label: ["managed-by=pctl"],
          event: ["start", "die", "oom", "health_status", "kill", "stop", "restart", "pause", "unpause", "destroy"],
        },
      },
    ],
  );
});

test("an event that comes in pieces, and two in one piece", async () => {
  const { streams, listeners } = await live(never, "a", "b");
  const bytes = Buffer.from(eventText("a", "health_status: unhealthy"));
  // Within a letter of two bytes.
  const cut = bytes.indexOf("é") + 1;
  streams.last.write(bytes.subarray(0, cut));
  await idle();
  assert.equal(listeners[0]?.times, 1);
  streams.last.write(Buffer.concat([bytes.subarray(cut), Buffer.from(eventText("b", "die"))]));
  await settled("both are told", () => listeners[0]?.times === 2 && listeners[1]?.times === 2);
});

test("the stream ends after the last wait, and opens again for the next one", async () => {
  const { streams, events, listeners } = await live({ reopenMs: Infinity, lingerMs: 0 }, "a", "b");
  const [a, b] = listeners;
  assert.ok(a !== undefined && b !== undefined);
  const { request } = streams.opened[0] ?? {};
  events.remove(a);
  await idle();
  assert.equal(request?.signal?.aborted, false, "one still waits");
  const ended = once(request.signal, "abort");
  events.remove(b);
  await ended;
  assert.equal(events.isLive, false);
  events.add(a);
  events.open();
  await settled("it is open again", () => events.isLive);
  assert.equal(streams.opened.length, 2);
});

test("the next wait within a moment finds the stream open", async () => {
  const { streams, events, listeners } = await live({ ...never, lingerMs: 1 }, "a");
  const [a] = listeners;
  assert.ok(a !== undefined);
  events.remove(a);
  events.add(a);
  // Begun later, and over later.
  await new Promise((resolve) => setTimeout(resolve, 1));
  events.open();
  streams.tell("a", "start");
  await settled("it is told", () => a.times === 2);
  assert.equal(streams.opened.length, 1);
  events.remove(a);
  events.close();
  assert.equal(streams.opened[0]?.request.signal?.aborted, true);
});

for (const [how, spoil] of [
  ["breaks", (streams: EventStreams) => streams.last.destroy(new Error("cut"))],
  ["ends", (streams: EventStreams) => streams.last.end()],
  ["tells what nobody can read", (streams: EventStreams) => streams.last.write("<html>\n")],
  ["tells something else", (streams: EventStreams) => streams.last.write("{}\n")],
] as const) {
  test(`a stream that ${how} is nobody's error: events are not told then, and it is opened again`, async () => {
    const { streams, events, listeners } = await live({ ...never, reopenMs: 0 }, "a");
    spoil(streams);
    await settled("no events are told", () => !events.isLive);
    await settled("it is told to look, before another engine is there", () => listeners[0]?.times === 2);
    events.open();
    await settled("they are again", () => events.isLive);
    assert.equal(streams.opened.length, 2);
    assert.equal(listeners[0]?.times, 3, "it is told to look");
  });
}

test("a stream that cannot be opened is not asked for again at once", async () => {
  const streams = new EventStreams();
  streams.refusal = new Error("403");
  const events = new ContainerEvents({ description: "an engine", stream: streams.stream }, never);
  events.add(listener("a"));
  for (let turn = 0; turn < 5; turn += 1) {
    events.open();
    await idle();
  }
  assert.equal(events.isLive, false);
  assert.equal(streams.opened.length, 1);
});

test("one that is closed while it is opened tells nothing", async () => {
  const streams = new EventStreams();
  const events = new ContainerEvents({ description: "an engine", stream: streams.stream }, never);
  const a = listener("a");
  events.add(a);
  events.open();
  events.close();
  await idle();
  assert.equal(events.isLive, false);
  assert.equal(a.times, 0);
});
