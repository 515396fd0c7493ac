import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { JobRun, Sealer } from "@ctrlplane/core/provider";
import { instanceFile, layout } from "../layout.ts";
import { request } from "../supervisor/testing.ts";
import type { CreateReplica } from "../supervisor/operations.ts";
import type { Alarm } from "./alarm.ts";
import { readRuns, readSchedule } from "./files.ts";
import type { ScheduleRequest } from "./records.ts";
import type { Run, Runs } from "./runs.ts";
import { Scheduler } from "./scheduler.ts";

const name = "shop-web";
const sealer: Sealer = { seal: (plain) => `sealed ${plain}`, open: (sealed) => sealed.slice("sealed ".length) };
const start = Date.parse("2026-11-27T03:00:30Z");
const minute = 60_000;

interface Simulated {
  readonly id: string;
  readonly beganAt: number;
  readonly env: CreateReplica["env"];
  end?: JobRun;
  isStarted: boolean;
  settle: (() => void)[];
}

/** A machine that outlives its schedulers: clock, runs, and the files of a data folder. */
class World implements Runs, Alarm {
  readonly dir = mkdtempSync(join(tmpdir(), "pctl-scheduler-"));
  time = start;
  isStopped = false;
  runs: Simulated[] = [];
  /** Every run that was ever started, by its time. */
  readonly started: string[] = [];
  readonly removed: string[] = [];
  /** The scheduler dies within `begin`: before the run is on record, or after that and before it starts. */
  dies: "before" | "created" | undefined;
  readonly died = Promise.withResolvers<undefined>();
  fails: Error | undefined;
  #alarms: { readonly at: number; readonly ring: () => void; isOff: boolean }[] = [];

  constructor(t: TestContext) {
    mkdirSync(join(layout(this.dir).instances, name), { recursive: true });
    t.after(() => rmSync(this.dir, { recursive: true, force: true }));
    assert.equal(dirname(instanceFile(this.dir, name)), join(layout(this.dir).instances, name));
  }

  scheduler(): Scheduler {
    // What belongs to one that died rings no more.
    this.#alarms = [];
    const scheduler = new Scheduler({
      dir: this.dir,
      runs: this,
      isWanted: () => !this.isStopped,
      sealer,
      alarm: this,
    });
    scheduler.adopt();
    return scheduler;
  }

  now(): number {
    return this.time;
  }

  at(timeMs: number, ring: () => void): () => void {
    const alarm = { at: timeMs, ring, isOff: false };
    this.#alarms.push(alarm);
    return () => void (alarm.isOff = true);
  }

  /** Time passes, and what rings is acted on. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      await this.quiet();
      const next = this.#alarms.filter((each) => !each.isOff).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#alarms = this.#alarms.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.ring();
    }
    this.time = until;
    await this.quiet();
  }

  /** Whatever was to be done is done: what rang, and then what ended. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 3; turns += 1) {
      await turn();
      await this.idle();
    }
  }

  idle: () => Promise<void> = () => Promise.resolve();

  of(): readonly Run[] {
    return this.runs.map((each) => ({
      id: each.id,
      isRunning: each.isStarted && each.end === undefined,
      beganAt: each.beganAt,
      ended: () =>
        new Promise((resolve) => {
          const settle = (): void => resolve(each.end);
          if (each.end !== undefined || !each.isStarted) settle();
          else each.settle.push(settle);
        }),
      stop: () => {
        this.end(each.id, { outcome: "failed", exitCode: null, signal: "SIGTERM" });
        return Promise.resolve();
      },
    }));
  }

  async begin(wanted: CreateReplica): Promise<void> {
    if (this.fails !== undefined) throw this.fails;
    if (this.dies === "before") return this.#die();
    const { id, scheduledAt = "" } = wanted.replica;
    const run = { id, beganAt: this.time, env: wanted.env, isStarted: this.dies !== "created", settle: [] };
    this.runs.push(run);
    if (this.dies === "created") return this.#die();
    this.started.push(scheduledAt.slice(11, 19));
    await Promise.resolve();
  }

  #die(): Promise<never> {
    this.died.resolve(undefined);
    return new Promise(() => undefined);
  }

  remove(id: string): Promise<void> {
    this.runs = this.runs.filter((each) => each.id !== id);
    this.removed.push(id);
    return Promise.resolve();
  }

  end(id: string, how: Pick<JobRun, "outcome" | "exitCode" | "signal">): void {
    const run = this.runs.find((each) => each.id === id);
    assert.ok(run !== undefined, `${id} is there`);
    const at = { startedAt: new Date(run.beganAt).toISOString(), endedAt: new Date(this.time).toISOString() };
    run.end = { release: 1, deployment: "dep_1", ...how, ...at };
    for (const settle of run.settle) settle();
  }

  /** The only run ends. */
  async complete(): Promise<void> {
    const [run] = this.runs.filter((each) => each.end === undefined);
    assert.ok(run !== undefined, "one runs");
    this.end(run.id, { outcome: "completed", exitCode: 0 });
    await this.quiet();
  }
}

function daily(change: Partial<ScheduleRequest> = {}): ScheduleRequest {
  const run = request(["true"], { env: { WHO: "ann" } });
  return { cron: "* * * * *", timezone: "UTC", overlap: "skip", run, ...change };
}

async function begin(t: TestContext, change: Partial<ScheduleRequest> = {}): Promise<[World, Scheduler]> {
  const world = new World(t);
  const scheduler = world.scheduler();
  world.idle = () => scheduler.quiet(name);
  await scheduler.set(name, daily(change));
  return [world, scheduler];
}

test("a job runs at its times, and how it ended is on record", async (t) => {
  const [world, scheduler] = await begin(t);
  assert.equal(scheduler.isUsed, true);
  await world.pass(29_999);
  assert.deepEqual(world.started, []);
  await world.pass(1);
  assert.deepEqual(world.started, ["03:01:00"]);
  assert.deepEqual(world.runs[0]?.env, { WHO: "ann" });
  assert.doesNotMatch(JSON.stringify(readSchedule(world.dir, name)?.run), /ann/);
  world.time += 2_000;
  await world.complete();
  assert.deepEqual(world.runs, [], "it is in the archive");
  const { last, actedAt } = readRuns(world.dir, name);
  assert.deepEqual([last?.outcome, last?.endedAt], ["completed", "2026-11-27T03:01:02.000Z"]);
  assert.equal(actedAt, Date.parse("2026-11-27T03:01:00Z"));
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00", "03:02:00"]);
});

test("skip: while a run goes on none is begun, and that is told", async (t) => {
  const [world] = await begin(t);
  await world.pass(2 * minute);
  assert.deepEqual(world.started, ["03:01:00"]);
  assert.equal(readRuns(world.dir, name).skippedAt, "2026-11-27T03:02:00.000Z");
  await world.complete();
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00", "03:03:00"]);
  assert.equal(readRuns(world.dir, name).skippedAt, undefined);
});

test("allow: runs go on beside each other", async (t) => {
  const [world] = await begin(t, { overlap: "allow" });
  await world.pass(2 * minute);
  assert.deepEqual(world.started, ["03:01:00", "03:02:00"]);
  assert.equal(new Set(world.runs.map((each) => each.id)).size, 2);
});

test("skip holds over a scheduler that died in the middle of a run", async (t) => {
  const [world] = await begin(t);
  await world.pass(minute);
  const second = world.scheduler();
  world.idle = () => second.quiet(name);
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00"]);
  await world.complete();
  assert.equal(readRuns(world.dir, name).last?.outcome, "completed", "its end was seen");
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00", "03:03:00"]);
});

for (const dies of ["before", "created"] as const) {
  test(`a scheduler that died while it began a run (${dies}): the next one does not begin it again`, async (t) => {
    const [world] = await begin(t);
    world.dies = dies;
    world.idle = () => Promise.resolve();
    await world.pass(30_000);
    await world.died.promise;
    world.dies = undefined;
    const second = world.scheduler();
    world.idle = () => second.quiet(name);
    await world.pass(29_000);
    assert.deepEqual([world.started, world.runs], [[], []]);
    assert.equal(readRuns(world.dir, name).last, undefined, "it never ran");
    await world.pass(minute);
    assert.deepEqual(world.started, ["03:02:00"]);
  });
}

test("what was missed is not made up for, apart from a gap of less than a minute", async (t) => {
  const [world] = await begin(t);
  world.time = Date.parse("2026-11-27T03:01:30Z");
  const soon = world.scheduler();
  world.idle = () => soon.quiet(name);
  await world.pass(0);
  assert.deepEqual(world.started, ["03:01:00"], "late");
  await world.complete();
  const hourly = { cron: "0 * * * *" };
  await soon.set(name, daily(hourly));
  world.time = Date.parse("2026-11-27T06:30:00Z");
  const late = world.scheduler();
  world.idle = () => late.quiet(name);
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00"]);
  await world.pass(30 * minute);
  assert.deepEqual(world.started, ["03:01:00", "07:00:00"]);
});

test("stopped: nothing is begun, nothing is kept awake; registered again, it goes on from there", async (t) => {
  const [world, scheduler] = await begin(t);
  world.isStopped = true;
  assert.equal(scheduler.isUsed, false);
  await world.pass(10 * minute);
  assert.deepEqual(world.started, []);
  world.isStopped = false;
  await scheduler.set(name, daily());
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:11:00"]);
});

test("another release takes its place; the run of the old one ends by itself, and holds up the new one", async (t) => {
  const [world, scheduler] = await begin(t);
  await world.pass(minute);
  const run = request(["true"], { replica: { releaseNumber: 2, deployment: "dep_2" } });
  await scheduler.set(name, daily({ run }));
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00"]);
  await world.complete();
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00", "03:03:00"]);
  assert.equal(readSchedule(world.dir, name)?.run.replica.releaseNumber, 2);
});

test("without a schedule nothing is begun, after a new start neither; what runs is seen to its end", async (t) => {
  const [world, scheduler] = await begin(t);
  await world.pass(minute);
  await scheduler.set(name, undefined);
  assert.equal(scheduler.isUsed, false);
  await world.pass(2 * minute);
  await world.complete();
  assert.equal(world.removed.length, 1);
  const second = world.scheduler();
  world.idle = () => second.quiet(name);
  await world.pass(2 * minute);
  assert.deepEqual(world.started, ["03:01:00"]);
});

test("a run that takes too long is ended, also by the next scheduler", async (t) => {
  const [world] = await begin(t, { timeoutMs: 10_000 });
  await world.pass(30_000);
  await world.pass(9_999);
  assert.equal(world.runs.length, 1);
  const second = world.scheduler();
  world.idle = () => second.quiet(name);
  await world.pass(1);
  assert.deepEqual([world.runs, readRuns(world.dir, name).last?.signal], [[], "SIGTERM"]);
});

test("a run that could not be begun has failed, and the next time comes", async (t) => {
  const [world] = await begin(t);
  world.fails = new Error("the disk is full");
  await world.pass(minute);
  assert.equal(readRuns(world.dir, name).last?.outcome, "failed");
  world.fails = undefined;
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:02:00"]);
});

test("a schedule that cannot be read holds up no other", async (t) => {
  const [world, scheduler] = await begin(t);
  const other = join(layout(world.dir).instances, "shop-other");
  mkdirSync(other);
  writeFileSync(join(other, "schedule.json"), "{ damaged");
  await scheduler.quiet(name);
  const second = world.scheduler();
  world.idle = () => second.quiet(name);
  await world.pass(minute);
  assert.deepEqual(world.started, ["03:01:00"]);
});
