import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isAlive } from "../process/identity.ts";
import { isErrno, readJsonFile, writeJsonFile } from "../process/json-file.ts";
import { layout, replicaFiles } from "../layout.ts";
import { supervisorClient } from "../supervisor/client.ts";
import type { ReplicaRecord } from "../supervisor/records.ts";
import { namesIn } from "../supervisor/read.ts";
import { dataFolder, eventually, killed, request, supervisorOf, write } from "../supervisor/testing.ts";
import { readRuns } from "./files.ts";
import type { ScheduleRequest } from "./records.ts";

const name = "shop-web";

/** Runs come by the second, on a machine that may have a lot else to do. */
const inTime = (condition: () => Promise<boolean> | boolean, what: string) => eventually(condition, what, 60_000);

const job = {
  replica: { ports: [], policy: { stop: { signal: "SIGTERM", graceMs: 2000 }, restart: "never" } },
} as const;

function every(cron: string, script: string): ScheduleRequest {
  return { cron, timezone: "UTC", overlap: "skip", run: request(["sh", "-c", script], job) };
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").trim().split("\n");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}

test("skip holds over a supervisor that is killed in the middle of a run; the next one sees its end", async (t) => {
  const { dir, client } = dataFolder(t);
  const [out, go] = [join(dir, "out"), join(dir, "go")];
  const script = `echo begin >> ${out}; while [ ! -e ${go} ]; do sleep 0.05; done; echo end >> ${out}`;
  await client.schedule(name, every("* * * * * *", script), write);
  await inTime(() => lines(out).includes("begin"), "a run");
  await killed(supervisorOf(dir));
  const restartedAt = new Date().toISOString();
  await client.markStopped(name, false, write);
  await inTime(() => (readRuns(dir, name).skippedAt ?? "") > restartedAt, "a time that is left out");
  assert.deepEqual(lines(out), ["begin"]);
  writeFileSync(go, "");
  await inTime(() => readRuns(dir, name).last?.outcome === "completed", "its end on record");
  assert.deepEqual(lines(out).slice(0, 2), ["begin", "end"]);
  await client.schedule(name, undefined, write);
  await inTime(async () => (await client.list(name)).length === 0, "all runs are in the archive");
  assert.ok(namesIn(join(layout(dir).archive, name)).length > 0);
});

test("a supervisor stays while something runs by a schedule, and ends once that is stopped", async (t) => {
  const { dir } = dataFolder(t);
  const out = join(dir, "out");
  const client = supervisorClient({ dir, env: process.env, start: "on-demand", idleMs: 200 });
  await client.schedule(name, every("* * * * * *", `echo ran >> ${out}`), write);
  const first = supervisorOf(dir);
  await inTime(() => lines(out).length >= 3, "three runs");
  assert.equal(isAlive(first), true);
  await client.markStopped(name, true, write);
  await inTime(() => !isAlive(first), "its end");
});

test("a run that was on record and never started is not started later", async (t) => {
  const { dir, client } = dataFolder(t);
  const out = join(dir, "out");
  const yearly = every("0 0 1 1 *", `echo ran >> ${out}`);
  const { run } = yearly;
  await client.create({ ...run, replica: { ...run.replica, scheduledAt: "2026-01-01T00:00:00.000Z" } }, write);
  await client.schedule(name, yearly, write);
  await inTime(async () => (await client.list(name)).length === 0, "it is taken away");
  // As it is where the supervisor dies right before its process comes to be.
  const again = { ...run.replica, id: "shop-web.00000002", scheduledAt: "2026-01-01T00:00:00.000Z" };
  await client.schedule(name, undefined, write);
  await client.create({ ...run, replica: again }, write);
  await killed(supervisorOf(dir));
  const { record } = replicaFiles(join(layout(dir).replicas, again.id));
  writeJsonFile(record, { ...readJsonFile<ReplicaRecord>(record), desired: "running" });
  await client.schedule(name, yearly, write);
  await inTime(async () => (await client.list(name)).length === 0, "it is taken away");
  assert.deepEqual([lines(out), readRuns(dir, name).last], [[], undefined]);
});
