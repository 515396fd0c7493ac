import assert from "node:assert/strict";
import { test } from "node:test";
import { dueTime, nextTime, wakeTime } from "./cron.ts";
import type { ScheduleRecord } from "./records.ts";

const at = (text: string): number => Date.parse(text);
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

function schedule(cron: string, registered: string): ScheduleRecord {
  // Only its times are read.
  return { cron, timezone: "UTC", overlap: "skip", registeredAt: at(registered) } as ScheduleRecord;
}

test("the next time is after the moment, not at it", () => {
  const daily = { cron: "0 3 * * *", timezone: "UTC" };
  assert.equal(iso(nextTime(daily, at("2026-11-27T02:59:59.999Z"))), "2026-11-27T03:00:00.000Z");
  assert.equal(iso(nextTime(daily, at("2026-11-27T03:00:00.000Z"))), "2026-11-28T03:00:00.000Z");
  assert.equal(
    iso(nextTime({ cron: "*/5 * * * * *", timezone: "UTC" }, at("2026-11-27T03:00:01Z"))),
    "2026-11-27T03:00:05.000Z",
  );
});

test("times are those of the zone, in summer and winter", () => {
  const berlin = { cron: "0 3 * * *", timezone: "Europe/Berlin" };
  assert.equal(iso(nextTime(berlin, at("2026-07-01T00:00:00Z"))), "2026-07-01T01:00:00.000Z");
  assert.equal(iso(nextTime(berlin, at("2026-12-01T00:00:00Z"))), "2026-12-01T02:00:00.000Z");
});

test("what has come is due until it was acted on, for a minute", () => {
  const daily = schedule("0 3 * * *", "2026-11-20T00:00:00Z");
  const three = at("2026-11-27T03:00:00Z");
  assert.equal(dueTime(daily, {}, three - 1), undefined);
  assert.equal(dueTime(daily, {}, three), three);
  assert.equal(dueTime(daily, {}, three + 59_999), three, "a supervisor that was being replaced catches up");
  assert.equal(dueTime(daily, {}, three + 60_000), undefined, "what was missed is not made up for");
  assert.equal(dueTime(daily, { actedAt: three }, three + 1), undefined);
});

test("of many that have come the latest is due, once", () => {
  const seconds = schedule("* * * * * *", "2026-11-20T00:00:00Z");
  const now = at("2026-11-27T03:00:30.500Z");
  assert.equal(iso(dueTime(seconds, {}, now)), "2026-11-27T03:00:30.000Z");
  assert.equal(dueTime(seconds, { actedAt: at("2026-11-27T03:00:30Z") }, now), undefined);
});

test("no time before it was registered counts", () => {
  const now = at("2026-11-27T03:00:10Z");
  assert.equal(dueTime(schedule("0 3 * * *", "2026-11-27T03:00:05Z"), {}, now), undefined);
});

test("a clock that was set back runs nothing twice, and one that was far ahead stops nothing", () => {
  const daily = schedule("0 3 * * *", "2026-11-20T00:00:00Z");
  const three = at("2026-11-27T03:00:00Z");
  const acted = { actedAt: three };
  assert.equal(dueTime(daily, acted, three - 30_000), undefined);
  assert.equal(iso(wakeTime(daily, acted, three - 30_000)), "2026-11-28T03:00:00.000Z");
  const ahead = { actedAt: at("2030-01-01T00:00:00Z") };
  assert.equal(dueTime(daily, ahead, three), three);
  assert.equal(iso(wakeTime(daily, ahead, three - 1)), iso(three));
});
