import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Change } from "@ctrlplane/core";
import { runLoad } from "../load/run-load.ts";
import { eventually, Project } from "./fixture.ts";
import { outcomeOf } from "./workbench.ts";

const demo = fileURLToPath(new URL("../../examples/demo", import.meta.url));

/**
 * Somebody on a bare machine: the stack of examples/demo comes up behind a port; a file changes and is deployed while
 * requests run; a broken version; undo; `pctl` killed in the middle. What serves is asked of the port, what runs of /proc.
 */
test("the first half hour", async (t) => {
  await using project = await Project.create();
  await cp(demo, project.folder, { recursive: true });
  const env = { DEMO_PORT: String(project.port) };
  const url = `http://127.0.0.1:${project.port}/`;
  const deploy = (): ReturnType<Project["pctl"]> => project.pctl(["deploy"], { env });
  const page = async (): Promise<string> => (await fetch(url, { headers: { connection: "close" } })).text();
  const change = (version: string): Promise<void> => writeFile(join(project.folder, "web/version.txt"), version);
  const all = ["demo-api", "demo-store", "demo-web-1", "demo-web-2"];

  const first = await deploy();
  assert.equal(first.code, 0, first.stdout + first.stderr);
  assert.match(await page(), /^version 1, visit 1\n$/);
  assert.deepEqual(project.replicaNames(), all);

  const over = new AbortController();
  const load = runLoad({ url, ratePerSecond: 50, connections: 10, method: "POST", signal: over.signal });
  await change("2\n");
  const second = await deploy();
  over.abort();
  const report = await load;
  t.diagnostic(`${report.sent} requests while version 2 was deployed, ${report.failed} failed`);
  assert.equal(second.code, 0, second.stdout + second.stderr);
  assert.ok(report.sent > 20);
  assert.deepEqual(report.failures, {});
  assert.match(await page(), /^version 2, /);
  assert.deepEqual(project.replicaNames(), all);

  // What clients met meanwhile was measured by the gateway, and is kept.
  const { result } = JSON.parse(await project.expect(0, ["history", "2", "--json"], { env })) as Change;
  const { traffic } = result?.services.find((each) => each.service === "web") ?? {};
  assert.ok(traffic !== undefined && traffic.requests > 20 && traffic.requests <= report.sent, JSON.stringify(traffic));
  assert.ok(traffic.failed === 0 && traffic.p99Ms !== null && traffic.p99Ms > 0, JSON.stringify(traffic));
  assert.match(second.stdout, /· web +\d+ requests meanwhile, 0 failed, p99 /);
  assert.match(await project.expect(0, ["history", "2"], { env }), /· web +\d+ requests meanwhile, 0 failed, p99 /);

  const serverFile = join(project.folder, "web/server.js");
  const server = await readFile(serverFile, "utf8");
  await writeFile(serverFile, `import "./checkout.js";\n${server}`);
  const broken = await deploy();
  assert.equal(broken.code, 3, broken.stdout + broken.stderr);
  assert.match(broken.stdout, /✗ web +release 3: CRASH_LOOP/);
  assert.match(broken.stdout, /✓ web +release 2 serves.*; release 3 got no traffic/);
  assert.match(broken.stdout, /Cannot find module .*checkout\.js/);
  assert.match(broken.stdout, /next +pctl logs web --change 3/);
  assert.match(await page(), /^version 2, /);
  assert.deepEqual(project.replicaNames(), all);
  await writeFile(serverFile, server);

  // What failed was taken back by itself; the change before it is undone by its number, as the message says.
  assert.match(await project.expect(1, ["rollback"], { env }), /#3 was taken back by itself.*\n.*rollback --change 2/);
  await project.expect(0, ["rollback", "--change", "2"], { env });
  assert.match(await page(), /^version 1, /);

  await change("4\n");
  const killed = project.start(["deploy", "--json"], { env });
  killed.stdin?.end();
  // In the middle: the first replica of the new version is there, the second is not.
  killed.stdout?.on("data", (chunk: Buffer) => {
    if (chunk.includes('"replica.ready"')) killed.kill("SIGKILL");
  });
  assert.equal((await outcomeOf(killed)).code, null);
  const again = await deploy();
  assert.equal(again.code, 0, again.stdout + again.stderr);
  for (let index = 0; index < 6; index += 1) assert.match(await page(), /^version 4, /);
  assert.deepEqual(project.replicaNames(), all);
  assert.match(await project.expect(0, ["plan", "--exit-code"], { env }), /Nothing to do/);

  await project.expect(0, ["destroy", "--remove", "store", "--yes"], { env });
  await assert.rejects(page());
  await eventually("no replica runs", () => project.replicas().length === 0, 1000);
});
