import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { HealthSpec } from "@ctrlplane/core/provider";
import { cgroupSupport } from "../cgroup/support.ts";
import { dataFolder, failureOf, node, only, request, running, server, write } from "./testing.ts";

const health: HealthSpec = {
  probe: { kind: "http", path: "/up" },
  intervalMs: 50,
  timeoutMs: 500,
  retries: 2,
  // Long enough for a program to start on a busy machine.
  graceMs: 3000,
  onFailure: { action: "restart", declared: true },
};
const policy = { stop: { signal: "SIGTERM", graceMs: 500 }, restart: "always" } as const;

// They wait more than they compute.
describe("a start that fails", { concurrency: 6 }, () => {
  test("CRASH_LOOP after two ends, with exit code, starts and the last lines", async (t) => {
    const { client } = dataFolder(t);
    const startedAt = performance.now();
    const error = await failureOf(
      client,
      request(node(`for (let i = 1; i <= 30; i++) console.log("line", i); process.exit(1)`)),
      60_000,
    );
    assert.equal(error.message, "shop-web ended before port 3000 opened");
    assert.equal(error.failure?.verdict, "CRASH_LOOP");
    assert.deepEqual([error.failure?.exitCode, error.failure?.signal, error.failure?.starts], [1, null, 2]);
    assert.equal(error.failure?.logTail?.length, 20);
    assert.equal(error.failure?.logTail?.at(-1), "line 30");
    assert.ok(performance.now() - startedAt < 30_000);
  });

  test("EXITED where it ends with 0, or may not be started again", async (t) => {
    const { client } = dataFolder(t);
    const ended = await failureOf(client, request(node(""), { id: "shop-a" }), 60_000);
    assert.deepEqual([ended.failure?.verdict, ended.failure?.exitCode], ["EXITED", 0]);
    const once = { policy: { ...policy, restart: "never" } } as const;
    const job = await failureOf(
      client,
      request(node("process.kill(process.pid, 'SIGABRT')"), { id: "shop-b", replica: once }),
      60_000,
    );
    assert.deepEqual([job.failure?.verdict, job.failure?.signal, job.failure?.starts], ["EXITED", "SIGABRT", 1]);
  });

  test("COMMAND_NOT_FOUND says what is missing, or may not be executed", async (t) => {
    const { dir, client } = dataFolder(t);
    const tree = join(dir, "tree");
    mkdirSync(tree);
    writeFileSync(join(tree, "run"), "#!/bin/sh\n");
    chmodSync(join(tree, "run"), 0o644);
    const missing = await failureOf(client, request(["no-such-program"], { id: "shop-a" }));
    assert.deepEqual(
      [missing.failure?.verdict, missing.message],
      ["COMMAND_NOT_FOUND", "shop-a no-such-program was not found"],
    );
    const mode = await failureOf(client, request(["./run"], { id: "shop-b", tree }));
    assert.deepEqual([mode.failure?.verdict, mode.message], ["COMMAND_NOT_FOUND", "shop-b ./run may not be executed"]);
  });

  test("PORT_CLOSED names the port that it listens on instead", async (t) => {
    const { client } = dataFolder(t);
    const script = `const s = require("node:net").createServer().listen(0, () => console.log(s.address().port))`;
    const error = await failureOf(client, request(node(script)), 1000);
    const replica = await only(client, "shop-web.00000001");
    assert.equal(error.failure?.verdict, "PORT_CLOSED");
    assert.equal(error.message, "shop-web port 3000 did not open within 1 s");
    assert.equal(
      error.hint,
      `listens on ${error.failure?.logTail?.[0]}, expected $PORT (${replica.record.ports[0]?.port})`,
    );
  });

  test("UNHEALTHY as soon as its probes have failed often enough", async (t) => {
    const { client } = dataFolder(t);
    const script = `require("node:http").createServer((q, r) => r.writeHead(503).end()).listen(process.env.PORT)`;
    const startedAt = performance.now();
    const error = await failureOf(
      client,
      request(node(script), { replica: { policy: { ...policy, health } } }),
      60_000,
    );
    assert.deepEqual(
      [error.failure?.verdict, error.message],
      ["UNHEALTHY", "shop-web its health check failed: GET /up: status 503"],
    );
    assert.ok(performance.now() - startedAt < 30_000);
  });

  test("START_TIMEOUT where it lives, but not for long enough yet", async (t) => {
    const { client } = dataFolder(t);
    const error = await failureOf(client, request(["sleep", "60"], { replica: { ports: [] } }), 300);
    assert.deepEqual([error.failure?.verdict, error.message], ["START_TIMEOUT", "shop-web was not ready within 0.3 s"]);
  });

  test("a probe by command has the environment and the folder of its replica", async (t) => {
    const { client } = dataFolder(t);
    const probe = {
      kind: "command",
      command: { shell: `test "$SECRET" = "a b" && test -n "$PORT" && test "$(basename "$PWD")" = work` },
    } as const;
    const env = { SECRET: "a b" };
    const replica = await running(
      client,
      request(["sleep", "60"], { env, replica: { policy: { ...policy, health: { ...health, probe } } } }),
    );
    assert.equal(replica.state, "ready");
  });

  test("outlive fails as soon as the replica ends, and ends well where it lives", async (t) => {
    const { client } = dataFolder(t);
    const replica = await running(client, request(server()));
    await client.outlive(replica.id, 300, {});
    const waiting = client.outlive(replica.id, 60_000, {});
    assert.ok(replica.pid !== undefined);
    process.kill(replica.pid, "SIGKILL");
    await assert.rejects(waiting, (error: unknown) => {
      assert.ok(error instanceof Error && "failure" in error);
      assert.partialDeepStrictEqual(error.failure, { verdict: "EXITED", signal: "SIGKILL", starts: 1 });
      return true;
    });
  });

  test("a service that loses its health is started again", async (t) => {
    const { client } = dataFolder(t);
    const script = `let broken = false; require("node:http").createServer((q, r) => {
    if (q.url === "/break") broken = true;
    r.writeHead(broken ? 500 : 200).end();
  }).listen(process.env.PORT)`;
    const replica = await running(client, request(node(script), { replica: { policy: { ...policy, health } } }));
    const waiting = assert.rejects(client.outlive(replica.id, 60_000, {}), {
      code: "FAILED",
      message: "shop-web lost its health: GET /up: status 500",
    });
    await fetch(`http://127.0.0.1:${replica.record.ports[0]?.port}/break`);
    await waiting;
    await client.waitReady(replica.id, { timeoutMs: 10_000 }, {});
    assert.equal((await only(client, replica.id)).restarts, 1);
  });

  test("OOM where its memory is limited", async (t) => {
    const { memory, reason } = cgroupSupport();
    if (!memory) return t.skip(reason);
    const { client } = dataFolder(t);
    const script = `const kept = []; setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 1)`;
    const error = await failureOf(client, request(node(script), { replica: { limits: { memoryMb: 64 } } }), 60_000);
    assert.deepEqual([error.failure?.verdict, error.failure?.signal], ["OOM", "SIGKILL"]);
    assert.equal(error.message, "shop-web ran out of memory (limit 64 MiB)");
    await client.stop("shop-web.00000001", { signal: "SIGTERM", graceMs: 100 }, write);
  });

  test("a replica gets no more of the processor than its limit", async (t) => {
    const { cpu, reason } = cgroupSupport();
    if (!cpu) return t.skip(reason);
    const { client } = dataFolder(t);
    const spin = await running(
      client,
      request(node(`${server()[2]}; setInterval(() => { for (const end = Date.now() + 90; Date.now() < end;); }, 1)`), {
        replica: { limits: { cpuMillis: 200 } },
      }),
    );
    const [usage] = await client.usage([spin.id], {});
    assert.ok(usage !== undefined && usage.cpuMillis > 50 && usage.cpuMillis < 350, JSON.stringify(usage));
    assert.ok(usage.memoryMb > 1);
  });
});
