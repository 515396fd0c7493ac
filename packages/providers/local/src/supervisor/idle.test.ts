import assert from "node:assert/strict";
import { test } from "node:test";
import { isAlive } from "../process/identity.ts";
import { supervisorClient } from "./client.ts";
import { dataFolder, eventually, request, running, server, supervisorOf, write } from "./testing.ts";

test("a supervisor without anything to look after ends; one that keeps a replica stays", async (t) => {
  const [busy, idle] = [dataFolder(t), dataFolder(t)].map(({ dir }) => ({
    dir,
    client: supervisorClient({ dir, env: process.env, start: "on-demand", idleMs: 200 }),
  }));
  assert.ok(busy !== undefined && idle !== undefined);
  const kept = await running(busy.client, request(server()));
  const keeper = supervisorOf(busy.dir);
  const { id } = await running(idle.client, request(server()));
  const ending = supervisorOf(idle.dir);
  await idle.client.stop(id, { signal: "SIGTERM", graceMs: 1000 }, write);
  await eventually(() => !isAlive(ending), "the end of the idle one");
  assert.equal(await idle.client.status(), undefined);
  assert.equal(isAlive(keeper), true);
  // Back when there is something to do.
  await idle.client.start(id, write);
  await idle.client.waitReady(id, { timeoutMs: 10_000 }, {});
  assert.equal((await busy.client.list())[0]?.pid, kept.pid);
});
