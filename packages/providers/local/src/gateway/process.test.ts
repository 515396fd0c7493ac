import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { layout } from "../layout.ts";
import { gatewayClient } from "./client.ts";
import { runningGateway, startGateway } from "./start.ts";
import { entranceAt, freePort, httpReplica, portOf, tableOf } from "./replica.test.support.ts";

const deadline = { timeout: 120_000 };

async function dataFolder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "pctl-gateway-"));
  t.after(async () => {
    const left = runningGateway(dir);
    if (left !== undefined) process.kill(left.pid, "SIGKILL");
    await rm(dir, { recursive: true, force: true });
  });
  return dir;
}

test("started once, driven over its socket, found again, ended", deadline, async (t) => {
  const dir = await dataFolder(t);
  const client = gatewayClient({ dir });
  await assert.rejects(client.stats(), (error) => isCtrlPlaneError(error) && error.code === "UNAVAILABLE");
  const gateway = await startGateway({ dir, version: "2.0.0" });
  assert.equal((await startGateway({ dir, version: "2.0.0" })).pid, gateway.pid);
  const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("one"));
  const port = await freePort();
  await client.apply(tableOf(1, entranceAt(port, "auto", [replica.target])));
  assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), "one");
  const stats = await client.stats();
  assert.equal(stats.pid, gateway.pid);
  assert.equal(stats.version, 1);
  assert.deepEqual(
    stats.replicas.map(({ replicaId, requests, failures, inFlight }) => ({ replicaId, requests, failures, inFlight })),
    [{ replicaId: "web-1", requests: 1, failures: 0, inFlight: 0 }],
  );
  await assert.rejects(client.apply(tableOf(2, entranceAt(portOf(replica.server), "auto", []))), (error) => {
    assert.ok(isCtrlPlaneError(error));
    assert.equal(error.failure?.verdict, "PORT_IN_USE");
    assert.match(error.message, new RegExp(`in use by pid ${process.pid} `));
    return true;
  });
  await client.apply(tableOf(3));
  assert.deepEqual(await client.drain("web-1", 1000), { cut: 0 });
  await client.shutdown();
  await gateway.exited;
  assert.equal(runningGateway(dir), undefined);
});

test("of two that are started at once one serves, and both who started them find it", deadline, async (t) => {
  const dir = await dataFolder(t);
  const port = await freePort();
  await writeFile(layout(dir).routes, JSON.stringify(tableOf(1, entranceAt(port, "auto", []))));
  const [one, other] = await Promise.all([
    startGateway({ dir, version: "2.0.0" }),
    startGateway({ dir, version: "2.0.0" }),
  ]);
  assert.equal(one.pid, other.pid);
  assert.equal((await gatewayClient({ dir }).stats()).pid, one.pid);
  assert.equal((await fetch(`http://127.0.0.1:${port}`)).status, 503);
});

test("killed with -9 it serves its routes again as soon as it is started", deadline, async (t) => {
  const dir = await dataFolder(t);
  const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("one"));
  const port = await freePort();
  await writeFile(layout(dir).routes, JSON.stringify(tableOf(5, entranceAt(port, "auto", [replica.target]))));
  const gateway = await startGateway({ dir, version: "2.0.0" });
  process.kill(gateway.pid, "SIGKILL");
  await gateway.exited;
  const startedAt = performance.now();
  const next = await startGateway({ dir, version: "2.0.0" });
  assert.notEqual(next.pid, gateway.pid);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), "one");
  t.diagnostic(`serves again after ${Math.round(performance.now() - startedAt)} ms`);
  assert.equal((await gatewayClient({ dir }).stats()).version, 5);
});

test("a damaged routes.json does not keep it from starting", deadline, async (t) => {
  const dir = await dataFolder(t);
  await writeFile(layout(dir).routes, '{"version":');
  await startGateway({ dir, version: "2.0.0" });
  assert.equal((await gatewayClient({ dir }).stats()).version, 0);
});

test("50 entrances open in one table", deadline, async (t) => {
  const dir = await dataFolder(t);
  const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("one"));
  await startGateway({ dir, version: "2.0.0" });
  const port = await freePort();
  const entrances = Array.from({ length: 50 }, (_unused, index) => ({
    ...entranceAt(port, "auto", [replica.target]),
    id: `instance-${index}`,
    address: `127.77.1.${index + 1}`,
  }));
  const startedAt = performance.now();
  await gatewayClient({ dir }).apply(tableOf(1, ...entrances));
  t.diagnostic(`50 entrances in ${Math.round(performance.now() - startedAt)} ms`);
  for (const { address } of entrances) assert.equal(await (await fetch(`http://${address}:${port}`)).text(), "one");
});
