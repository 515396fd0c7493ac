import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { layout } from "../layout.ts";
import { allPids } from "../process/group.ts";
import { isAlive, identify } from "../process/identity.ts";
import { commandLine } from "../process-table.test.support.ts";
import {
  dataFolder,
  eventually,
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

// They wait more than they compute.
describe("a replica", { concurrency: 6 }, () => {
  test("a replica has its port, its environment byte for byte, its files and its volumes", async (t) => {
    const { dir, client } = dataFolder(t);
    const tree = join(dir, "tree");
    mkdirSync(join(tree, "bin"), { recursive: true });
    writeFileSync(join(tree, "bin/run"), `#!${process.execPath}\n${server(`JSON.stringify(process.env)`)[2]}`, {
      mode: 0o755,
    });
    const volume = join(dir, "volumes/data");
    const env = {
      LINES: "a\n\"b\"\t'$HOME' `x` \\",
      EMOJI: "🦊é",
      LONG: "x".repeat(100_000),
      EMPTY: "",
      "with.dot": "1",
      PATH: "/own",
    };
    const wanted = request(["bin/run"], { env, tree, links: [{ path: "data/uploads", target: volume }] });

    const replica = await running(client, wanted);

    const seen: Record<string, string> = JSON.parse(await text(replica));
    for (const [name, value] of Object.entries(env)) assert.equal(seen[name], value, name);
    assert.equal(seen["PORT"], String(replica.record.ports[0]?.port));
    const inherited = Object.keys(seen).filter((name) => !(name in env) && name !== "PORT");
    assert.deepEqual(
      inherited.filter((name) => !/^(HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR)$/.test(name)),
      [],
    );
    assert.equal(readlinkSync(join(replica.record.cwd, "data/uploads")), volume);
  });

  test("no value of the environment is in an argument, a record or a log of ours", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(server(), { env: { TOKEN: "s3cret-value" } }));
    const run = runOf(dir, replica.id);
    const texts = [
      ...allPids().map((pid) => commandLine(pid)),
      readFileSync(`/proc/${run.shim.pid}/environ`, "utf8"),
      readFileSync(`/proc/${supervisorOf(dir).pid}/environ`, "utf8"),
      ...readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((each) => each.isFile())
        .map((each) => readFileSync(join(each.parentPath, each.name), "utf8")),
    ];
    assert.ok(texts.length > 5);
    assert.equal(
      texts.some((each) => each.includes("s3cret-value")),
      false,
    );
    // The control: what looks for it can find it.
    assert.ok(readFileSync(`/proc/${replica.pid}/environ`, "utf8").includes("s3cret-value"));
  });

  test("one id is created and started once, and stop and remove of what is gone succeed", async (t) => {
    const { dir, client } = dataFolder(t);
    const wanted = request(server());
    const [first, second] = await Promise.all([client.create(wanted, write), client.create(wanted, write)]);
    assert.deepEqual(first, second);
    await Promise.all([client.start(first.id, write), client.start(first.id, write)]);
    await client.waitReady(first.id, { timeoutMs: 10_000 }, {});
    await client.start(first.id, write);
    assert.equal(runOf(dir, first.id).run, 1);
    await assert.rejects(client.remove(first.id, write), { code: "CONFLICT" });
    for (let again = 0; again < 2; again++) await client.stop(first.id, { signal: "SIGTERM", graceMs: 2000 }, write);
    assert.equal((await only(client, first.id)).state, "stopped");
    for (let again = 0; again < 2; again++) await client.remove(first.id, write);
    await client.stop(first.id, { signal: "SIGTERM", graceMs: 2000 }, write);
    assert.deepEqual(await client.list(), []);
    assert.deepEqual(readdirSync(join(layout(dir).archive, "shop-web")), [first.id]);
  });

  test("a removed replica leaves its log and records and nothing of its environment", async (t) => {
    const { dir, client } = dataFolder(t);
    const replica = await running(client, request(node(`console.log("hello"); ${server()[2]}`)));
    await client.stop(replica.id, { signal: "SIGTERM", graceMs: 2000 }, write);
    await client.remove(replica.id, write);
    const folder = join(layout(dir).archive, "shop-web", replica.id);
    assert.deepEqual(readdirSync(folder).sort(), [
      "exit.json",
      "log",
      "log.index",
      "replica.json",
      "run.json",
      "state.json",
    ]);
    assert.equal(readFileSync(join(folder, "log"), "utf8"), "hello\n");
    assert.match(readFileSync(join(folder, "log.index"), "utf8"), /^0 \d+ 1\n0 \d+\n$/);
    await eventually(() => readdirSync(layout(dir).trash).length === 0, "the trash is emptied");
  });

  test("what ignores its signal is killed after its grace, with everything that it started", async (t) => {
    const { client } = dataFolder(t);
    const script = `process.on("SIGTERM", () => {});
    const child = require("node:child_process").spawn("sleep", ["300"]);
    require("node:http").createServer((q, r) => r.end(String(child.pid))).listen(process.env.PORT);`;
    const replica = await running(client, request(node(script)));
    const child = identify(Number(await text(replica)));
    assert.ok(isAlive(child));
    const startedAt = performance.now();
    await client.stop(replica.id, { signal: "SIGTERM", graceMs: 300 }, write);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= 300 && tookMs < 2000, `${tookMs} ms`);
    assert.deepEqual([isAlive(child), (await only(client, replica.id)).signal], [false, "SIGKILL"]);
  });

  test("what a replica leaves behind ends with it, and a service that ended is started again", async (t) => {
    const { client } = dataFolder(t);
    const script = `const child = require("node:child_process").spawn("sleep", ["300"]);
    require("node:http").createServer((q, r) => r.end(String(child.pid), () => setTimeout(() => process.exit(7), 20))).listen(process.env.PORT);`;
    const replica = await running(client, request(node(script)));
    const child = identify(Number(await text(replica)));
    await eventually(async () => (await only(client, replica.id)).restarts === 1, "the second run");
    assert.equal(isAlive(child), false);
    await client.waitReady(replica.id, { timeoutMs: 10_000 }, {});
    const again = await only(client, replica.id);
    assert.deepEqual([again.restarts, again.lastEnd?.code, again.record.ports], [1, 7, replica.record.ports]);
  });

  test("a job runs once, and its end is told", async (t) => {
    const { client } = dataFolder(t);
    const policy = { stop: { signal: "SIGTERM", graceMs: 100 }, restart: "never" } as const;
    const { id } = await client.create(
      request(node("process.exitCode = 3"), { replica: { ports: [], policy } }),
      write,
    );
    assert.deepEqual(await client.waitEnd(id, {}), { state: "unstarted" });
    await client.start(id, write);
    await client.start(id, write);
    const end = await client.waitEnd(id, {});
    assert.deepEqual([end.state, end.state === "failed" && end.failure.exitCode], ["failed", 3]);
    assert.equal((await only(client, id)).lastEnd?.run, 1);
    assert.deepEqual([(await only(client, id)).state, (await only(client, id)).exitCode], ["exited", 3]);
  });
});
