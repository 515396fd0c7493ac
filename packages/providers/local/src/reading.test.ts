import { strict as assert } from "node:assert";
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runningGateway } from "./gateway/start.ts";
import { localMachine } from "./machine.ts";
import { freePort } from "./process/ports.ts";
import { killed, supervisorOf } from "./supervisor/testing.ts";
import { processesIn, processesWith } from "./process-table.test.support.ts";
import type { ListSelector } from "@ctrlplane/core/provider";
import { testIdentity, testRelease, testSpec } from "./fixtures.test.support.ts";
import { deployRequest, workbench } from "./workbench.test.support.ts";

const server = `console.log("up"); require("node:http").createServer((q, r) => r.end()).listen(process.env.PORT)`;

describe("reading", { concurrency: 3 }, () => {
  test("plan, status, logs and resources are read without a supervisor, and start no process", async (t) => {
    const { folder, dir, provider, instance, write, deploy, context } = await workbench(t);
    await write("server.js", server);
    const ports = [{ containerPort: 3000, hostPort: await freePort(new Set()), protocol: "auto" as const }];
    await deploy(1, { ports });
    await killed(supervisorOf(dir));
    await rm(join(dir, "supervisor.sock"));
    const processes = () => ({
      named: processesWith(dir),
      inside: processesIn(dir),
    });
    const files = () => new Set(readdirSync(dir, { recursive: true, encoding: "utf8" }));
    const before = { ...processes(), files: files() };
    assert.deepEqual([before.named.length, before.inside.length], [2, 1], "gateway and shim; the replica");

    const health = await provider.health(context);
    await write("server.js", `${server} // changed`);
    const spec = testSpec(join(folder, "web"), { ports });
    assert.deepEqual(provider.check(spec, health, instance), []);
    await provider.identifyImage({ instance, spec, cacheDir: join(folder, "cache") }, context);
    assert.equal((await provider.list({ stack: "shop", names: ["shop-web"] }, context)).instances.length, 1);
    assert.equal((await provider.status({ instance }, context)).state, "serving");
    for await (const line of provider.logs({ instance, follow: false, previous: false }, context))
      assert.equal(line.text, "up");
    assert.equal((await provider.resources({ instance }, context)).replicas.length, 1);
    await provider.ledger?.list("", context);
    const machine = await localMachine({ dir, env: process.env }).status();
    assert.equal(machine.supervisor, undefined);
    assert.equal(machine.gateway?.isOld, false);

    assert.deepEqual({ ...processes(), files: files() }, before);
    // The control: a change starts one.
    await provider.stop({ instance, signal: "SIGTERM", graceMs: 1000, drainMs: 0 }, context);
    assert.ok(processesWith(dir).includes(supervisorOf(dir).pid));
  });

  test("a service whose supervisor and gateway were both killed is told to be down, and the same deploy repairs it", async (t) => {
    const { dir, provider, instance, write, deploy, context } = await workbench(t);
    await write("server.js", server);
    const ports = [{ containerPort: 3000, hostPort: await freePort(new Set()), protocol: "auto" as const }];
    const release = await deploy(1, { ports });
    const { startedAt } = (await provider.status({ instance }, context)).replicas[0] ?? {};
    await killed(supervisorOf(dir));
    const gateway = runningGateway(dir);
    assert.ok(gateway !== undefined);
    await killed(gateway);
    const [seen] = (await provider.list({}, context)).instances;
    assert.deepEqual([seen?.state, seen?.fields["ports"], seen?.revisions[0]?.ready], ["down", [], 1]);
    assert.equal((await provider.status({ instance }, context)).state, "down");

    await provider.deploy(deployRequest(release), context);
    const status = await provider.status({ instance }, context);
    assert.deepEqual(
      [status.state, status.fields["ports"], status.replicas[0]?.startedAt],
      ["serving", ports, startedAt],
    );
    assert.equal((await fetch(`http://127.0.0.1:${ports[0]?.hostPort}`)).status, 200);
  });

  test("a list has pages, and shows what bears a name whosever it is", async (t) => {
    const { provider, instance, write, prepare, deploy, context } = await workbench(t);
    await write("server.js", server);
    const ports = [{ containerPort: 3000, protocol: "auto" as const }];
    await deploy(1, { ports });
    const { spec, image } = await prepare(1, { ports });
    const others = ["blog", "cafe", "docs"].map((stack) => testIdentity(instance.platformId, "web", stack));
    await Promise.all(
      others.map((other) =>
        provider.deploy(deployRequest(testRelease(other, spec, image), { deployment: `dep_${other.name}` }), context),
      ),
    );
    const namesOf = async (selector: ListSelector) =>
      (await provider.list(selector, context)).instances.map((each) => `${each.name} ${each.state}`);

    assert.deepEqual(await namesOf({ stack: "shop" }), ["shop-web serving"]);
    assert.deepEqual(await namesOf({ stack: "shop", names: ["shop-web", "cafe-web", "none"] }), [
      "cafe-web serving",
      "shop-web serving",
    ]);
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await provider.list({ limit: 3, ...(cursor === undefined ? {} : { cursor }) }, context);
      pages.push(page.instances.map((each) => each.name));
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(pages, [["blog-web", "cafe-web", "docs-web"], ["shop-web"]]);
  });
});
