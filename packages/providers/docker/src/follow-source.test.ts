import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogLine } from "@ctrlplane/core/provider";
import { followSource, LogPosition } from "./follow-source.ts";
import type { LogSource } from "./log-lines.ts";
import { LogOrder } from "./log-order.ts";

const source: LogSource = { id: "a", name: "web-1", isTerminal: false, startedAt: "" };
const start = Date.parse("2026-01-01T00:00:00Z");
const at = (ms: number): string => new Date(start + ms).toISOString();
const line = (ms: number, stream: LogLine["stream"] = "stdout"): LogLine => ({
  at: at(ms),
  replica: "web-1",
  stream,
  text: String(ms),
});

/** What is told of these readings of one log, and from when on each began. `nows`: the clock at each batch. */
async function follow(readings: readonly (readonly (readonly LogLine[])[])[], nows: readonly number[]) {
  const begun: string[] = [];
  const times = [...nows];
  const read = async function* (_: LogSource, since: string): AsyncGenerator<readonly LogLine[]> {
    begun.push(since);
    yield* readings[begun.length - 1] ?? [];
  };
  const told: LogLine[] = [];
  const parts = { read, monotonic: () => times.shift() ?? 0 };
  for await (const lines of followSource(source, new LogPosition(), parts)) told.push(...lines);
  return { begun, told: told.map(({ text }) => text), missed: told.flatMap((each) => each.missed ?? []) };
}

test("a silence while we are late is read again from the last line on: what the files still have is told", async () => {
  const first = [[line(0)], [line(10)], [line(5000)]];
  const again = [[line(10), line(20), line(30)], [line(5000)]];
  const { begun, told, missed } = await follow([first, again], [start, start + 4000]);
  assert.deepEqual(begun, ["", at(10)]);
  assert.deepEqual(told, ["0", "10", "20", "30", "5000"]);
  assert.deepEqual(missed, []);
});

test("where the last line itself is gone, it is said from when until when", async () => {
  const first = [[line(0)], [line(10)], [line(5000)]];
  const { told, missed } = await follow([first, [[line(4000), line(5000)]]], [start, start + 4000]);
  assert.deepEqual(missed, [{ from: at(10), until: at(4000) }]);
  assert.equal(told.length, 5);
  assert.match(told[2] ?? "", /between .*00\.010Z and .*04\.000Z was gone/);
});

test("a silence is read again only where we are late, and one that was real is believed from then on", async () => {
  const quiet = await follow([[[line(0)], [line(10)], [line(5000)]]], [start, start + 20, start + 5010]);
  assert.deepEqual(quiet.begun, [""]);
  const first = [[line(0)], [line(10)], [line(1000)]];
  const again = [[line(10), line(1000)], [line(2000)], [line(3000)]];
  const slow = await follow([first, again], [start, start + 9000, start + 9100, start + 9200]);
  assert.deepEqual(slow.begun, ["", at(10)]);
  assert.deepEqual(slow.told, ["0", "10", "1000", "2000", "3000"]);
  assert.deepEqual(slow.missed, []);
});

test("two streams whose times are out of order, and equal times, lose nothing and repeat nothing", async () => {
  const disorder = [line(20), line(10, "stderr"), line(20), line(30)];
  const again = [line(10, "stderr"), line(25, "stderr"), line(30), line(5000)];
  const { told, missed } = await follow([[[line(0)], disorder, [line(5000)]], [again]], [start, start + 4000]);
  assert.deepEqual(told, ["0", "20", "10", "20", "30", "25", "5000"]);
  assert.deepEqual(missed, []);
});

test("lines wait a turn for earlier ones of others", () => {
  const order = new LogOrder();
  const turn = (...ms: number[]): string[] => order.turn(ms.map((each) => line(each))).map(({ text }) => text);
  assert.deepEqual(turn(10, 30), []);
  assert.deepEqual(turn(20, 40), ["10", "20", "30"]);
  assert.deepEqual(turn(), ["40"]);
  assert.ok(order.isEmpty);
});
