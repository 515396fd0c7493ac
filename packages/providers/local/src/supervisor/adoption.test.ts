import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { daemonFile, daemonLog, instanceFile, socketPath } from "../layout.ts";
import { isAlive } from "../process/identity.ts";
import { readJsonFile } from "../process/json-file.ts";
import { callJson } from "../protocol/client.ts";
import { supervisorClient } from "./client.ts";
import type { ProcessIdentity } from "./records.ts";
import {
  dataFolder,
  eventually,
  fence,
  killed,
  node,
  only,
  request,
  running,
  runOf,
  server,
  supervisorOf,
  text,
  write,
} from "./testing.ts";

const start = "on-demand";

// They wait more than they compute.
describe("what outlives a death", { concurrency: 6 }, () => {
  test("of two starters at once, one becomes the supervisor", async (t) => {
    const { dir, client } = dataFolder(t);
    const others = [1, 2, 3].map(() => supervisorClient({ dir, env: process.env, start }));
    const ids = ["shop-a", "shop-b", "shop-c"];
    await Promise.all(others.map((each, index) => each.create(request(server(), { id: ids[index] ?? "" }), write)));
    assert.equal((await client.list()).length, 3);
    const pids = new Set(await Promise.all(others.map(async (each) => (await each.status())?.pid)));
    assert.deepEqual([...pids], [supervisorOf(dir).pid]);
  });

  test("a killed supervisor costs nothing: the next one adopts what runs, and goes on", async (t) => {
    const { dir, client } = dataFolder(t);
    const env = { NAME: "kept" };
    const replica = await running(client, request(server("process.env.NAME"), { env }));
    await killed(supervisorOf(dir));

    assert.deepEqual([await text(replica), (await only(client, replica.id)).state], ["kept", "ready"]);
    await client.configure(replica.id, replica.record.policy, write);
    await client.outlive(replica.id, 100, {});
    assert.equal((await only(client, replica.id)).pid, replica.pid);

    await killed(runOf(dir, replica.id));
    await eventually(async () => (await only(client, replica.id)).restarts === 1, "the restart");
    await client.waitReady(replica.id, { timeoutMs: 10_000 }, {});
    const again = await only(client, replica.id);
    assert.deepEqual([await text(again), again.lastEnd?.signal], ["kept", "SIGKILL"]);
  });

  test("a wait that lost its supervisor goes on with the next one", async (t) => {
    const { dir, client } = dataFolder(t);
    const { id } = await client.create(request(node(`setTimeout(() => { ${server()[2]} }, 1500)`)), write);
    await client.start(id, write);
    const waiting = client.waitReady(id, { timeoutMs: 10_000 }, {});
    const first = supervisorOf(dir);
    await killed(first);
    await waiting;
    assert.notEqual(supervisorOf(dir).pid, first.pid);
    assert.equal((await only(client, id)).restarts, 0);
  });

  test("what ended while no supervisor ran is started by the next one, also after the machine was off", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(server()));
    const stopped = await running(client, request(server(), { id: "shop-stopped" }));
    await client.stop(stopped.id, { signal: "SIGTERM", graceMs: 1000 }, write);
    await killed(supervisorOf(dir));
    const { shim, ...run } = runOf(dir, replica.id);
    await killed(shim);
    await killed(run);
    assert.equal((await only(client, replica.id)).state, "exited");

    await client.waitReady(replica.id, { timeoutMs: 10_000 }, {});
    const again = await only(client, replica.id);
    assert.deepEqual([again.lastEnd?.unknown, again.restarts], [true, 1]);
    assert.equal((await only(client, stopped.id)).state, "stopped");
  });

  test("a process with the pid of a replica is not taken for it", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(server()));
    await killed(supervisorOf(dir));
    const run = runOf(dir, replica.id);
    await killed(run.shim);
    await killed(run);
    const file = `${replica.record.cwd}/../run.json`;
    writeFileSync(file, JSON.stringify({ ...run, pid: process.pid }));
    assert.equal((await only(client, replica.id)).state, "exited");
    await client.waitReady(replica.id, { timeoutMs: 10_000 }, {});
    assert.notEqual((await only(client, replica.id)).pid, process.pid);
  });

  test("a replica outlives its shim; its end is then seen without a code, and it is started again", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(server(`process.pid`)));
    const run = runOf(dir, replica.id);
    await killed(run.shim);
    assert.equal(await text(replica), String(run.pid));
    await client.outlive(replica.id, 200, {});
    await killed(run);
    await eventually(async () => (await only(client, replica.id)).restarts === 1, "the restart");
    assert.equal((await only(client, replica.id)).lastEnd?.unknown, true);
  });

  test("a stop that a killed supervisor had begun is finished by the next one", async (t) => {
    const { dir, client } = dataFolder(t);
    const stubborn = `process.on("SIGTERM", () => {}); ${server()[2]}`;
    const replica = await running(client, request(node(stubborn)));
    // Without retries: this call is to be lost.
    const lost = supervisorClient({ dir, env: process.env, start: "never" });
    const stopping = assert.rejects(lost.stop(replica.id, { signal: "SIGTERM", graceMs: 3000 }, write), {
      code: "UNAVAILABLE",
    });
    await eventually(async () => (await only(client, replica.id)).state === "draining", "the stop");
    await killed(supervisorOf(dir));
    await stopping;
    assert.equal(isAlive(runOf(dir, replica.id)), true);
    await client.configure(replica.id, replica.record.policy, write);
    await eventually(async () => (await only(client, replica.id)).state === "stopped", "the end");
  });

  test("a supervisor of other code hands over, and what runs does not notice", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(server()));
    const old = supervisorOf(dir);
    await callJson(socketPath(dir, "supervisor"), "handOver", {});
    await client.configure(replica.id, replica.record.policy, write);
    await eventually(() => !isAlive(old), "the old one ended");
    assert.notEqual(supervisorOf(dir).pid, old.pid);
    const now = await only(client, replica.id);
    assert.deepEqual([now.pid, now.state, now.restarts], [replica.pid, "ready", 0]);
  });

  test("reading needs no supervisor and starts none", async (t) => {
    const { dir, client } = dataFolder(t);
    const reader = supervisorClient({ dir, env: process.env, start: "never" });
    assert.deepEqual(
      [await reader.list(), await reader.routed("shop-web"), await reader.status()],
      [[], {}, undefined],
    );
    assert.throws(() => readFileSync(daemonLog(dir, "supervisor")), { code: "ENOENT" });
    await running(client, request(server()));
    const before = await reader.list();
    await killed(supervisorOf(dir));
    assert.equal((await reader.list())[0]?.pid, before[0]?.pid);
    assert.equal((await reader.usage([before[0]?.id ?? ""], {})).length, 1);
    await assert.rejects(reader.start("shop-web.00000001", write), { code: "UNAVAILABLE" });
    assert.equal(await reader.status(), undefined);
    await client.start("shop-web.00000001", write);
  });

  test("an epoch that was overtaken is refused, also by the next supervisor", async (t) => {
    const { dir, client } = dataFolder(t);
    const { id } = await client.create(request(server()), { fence: { stack: "shop", epoch: 7 } });
    await assert.rejects(client.start(id, { fence: { stack: "shop", epoch: 6 } }), { code: "CONFLICT" });
    await killed(supervisorOf(dir));
    await assert.rejects(client.start(id, { fence: { stack: "shop", epoch: 6 } }), { code: "CONFLICT" });
    await client.stop(id, { signal: "SIGTERM", graceMs: 0 }, { fence: { stack: "other", epoch: 1 } });
    assert.equal((await only(client, id)).state, "stopped");
  });

  test("routes follow readiness; a gateway that dies is back, and outlives the supervisor", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(server()));
    const port = 20_000 + Math.floor(Math.random() * 9_000);
    const listeners = [{ address: "127.0.0.1", port, containerPort: 3000, protocol: "auto" }] as const;
    await client.route("shop-web", { listeners, targets: { [replica.id]: 100 } }, write);
    const answer = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
    assert.equal(await answer(), "ok");
    assert.deepEqual(await client.routed("shop-web"), { [replica.id]: 100 });
    assert.equal((await only(client, replica.id)).routed, true);

    const gateway = readJsonFile<ProcessIdentity>(daemonFile(dir, "gateway"));
    assert.ok(gateway !== undefined);
    await killed(gateway);
    await eventually(
      () =>
        answer().then(
          () => true,
          () => false,
        ),
      "the gateway is back",
    );

    await killed(supervisorOf(dir));
    assert.equal(await answer(), "ok");
    await client.route("shop-web", { listeners, targets: {} }, write);
    await client.drain(replica.id, { timeoutMs: 1000 }, write);
    assert.deepEqual(await client.routed("shop-web"), {});
  });

  test("a port that others hold is refused, and what was routed before still is", async (t) => {
    const { client } = dataFolder(t);
    const replica = await running(client, request(server()));
    const holder = await running(client, request(server(), { id: "shop-holder" }));
    const taken = holder.record.ports[0]?.port ?? 0;
    const listener = { address: "127.0.0.1", containerPort: 3000, protocol: "auto" } as const;
    const free = { ...listener, port: 20_000 + Math.floor(Math.random() * 9_000) };
    await client.route("shop-web", { listeners: [free], targets: { [replica.id]: 100 } }, write);
    const set = { listeners: [free, { ...listener, port: taken }], targets: {} };
    await assert.rejects(client.route("shop-web", set, write), (error: unknown) => {
      assert.ok(error instanceof Error && "failure" in error);
      assert.partialDeepStrictEqual(error.failure, { verdict: "PORT_IN_USE" });
      return true;
    });
    assert.deepEqual(await client.routed("shop-web"), { [replica.id]: 100 });
    assert.equal(await (await fetch(`http://127.0.0.1:${free.port}/`)).text(), "ok");
  });

  test("an instance is known from its first replica until it is settled as nothing", async (t) => {
    const { dir, client } = dataFolder(t);
    const wanted = request(server());
    const { id } = await client.create(wanted, write);
    const read = (): object | undefined => readJsonFile(instanceFile(dir, "shop-web"));
    assert.deepEqual(read(), { ...wanted.instance, stopped: false });
    await client.markStopped("shop-web", true, { fence });
    assert.deepEqual(read(), { ...wanted.instance, stopped: true });
    await client.settle(wanted.instance, undefined, write);
    assert.deepEqual(read(), { ...wanted.instance, stopped: false });
    await client.remove(id, write);
    await client.settle(wanted.instance, undefined, write);
    assert.equal(read(), undefined);
  });

  test("shutdown leaves replicas alone, or stops them until the next supervisor", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(server()));
    await client.shutdown({ stopServices: false }, {});
    await eventually(async () => (await client.status()) === undefined, "the supervisor ended");
    assert.equal((await only(client, replica.id)).pid, replica.pid);
    await client.configure(replica.id, replica.record.policy, write);
    await client.shutdown({ stopServices: true }, {});
    assert.equal(isAlive(runOf(dir, replica.id)), false);
    await eventually(async () => (await client.status()) === undefined, "the supervisor ended");
    await client.waitReady(replica.id, { timeoutMs: 10_000 }, {});
  });
});
