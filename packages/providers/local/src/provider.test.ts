import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { LogLine, ServiceSpec } from "@ctrlplane/core/provider";
import { cgroupSupport } from "./cgroup/support.ts";
import { identify, isAlive } from "./process/identity.ts";
import { freePort } from "./process/ports.ts";
import { testContext, testIdentity, testRelease } from "./fixtures.test.support.ts";
import { deployRequest, rolling, workbench } from "./workbench.test.support.ts";

const server = (word: string) => `
  const { createServer } = require("node:http");
  console.log("${word} starts");
  createServer((request, response) => {
    console.log("${word} answers", request.url);
    response.end("${word} " + (process.env.GREETING ?? ""));
  }).listen(process.env.PORT);
`;

async function published(): Promise<Pick<ServiceSpec, "ports"> & { url: string }> {
  const hostPort = await freePort(new Set());
  return {
    ports: [{ containerPort: 3000, hostPort, protocol: "auto", address: "127.0.0.1" }],
    url: `http://127.0.0.1:${hostPort}`,
  };
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

async function collect(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const all: string[] = [];
  for await (const { replica, text: line } of lines) all.push(`${replica}: ${line}`);
  return all;
}

// They wait more than they compute.
describe("the provider local", { concurrency: 4 }, () => {
  test("a plan of a new data folder writes nothing", async (t) => {
    const { folder, provider, context, instance } = await workbench(t);
    const health = await provider.health(context);
    assert.equal(health.platformId, instance.platformId);
    assert.match(health.description, /^processes on this machine, /);
    assert.deepEqual(await provider.list({}, context), { instances: [] });
    assert.deepEqual(await provider.ledger?.list("", context), []);
    await assert.rejects(provider.status({ instance }, context), { code: "NOT_FOUND" });
    await provider.deprovision({ instance, volumes: true }, context);
    assert.deepEqual(await readdir(folder), ["web"]);
  });

  test("a service from its first deploy to its removal", async (t) => {
    const { dir, provider, context, instance, write, deploy, prepare } = await workbench(t);
    const { ports, url } = await published();
    await write("server.js", server("one"));
    const spec = {
      ports,
      env: { GREETING: 'línea\n"two" $HOME 🚀' },
      scale: { replicas: 2 },
      volumes: [{ path: "data", readOnly: false }],
      strategy: rolling,
    };
    const first = await deploy(1, spec);
    assert.equal(await get(url), 'one línea\n"two" $HOME 🚀');

    const [seen] = (await provider.list({ stack: "shop" }, context)).instances;
    assert.equal(seen?.state, "serving");
    assert.equal(seen?.settled?.number, 1);
    assert.deepEqual(seen?.addresses, [url]);
    assert.deepEqual(seen?.volumes, ["shop-web-2-storage", "shop-web-storage"]);
    assert.deepEqual(seen?.fields, { ports });
    assert.equal(seen?.image, first.image.digest);
    const status = await provider.status({ instance }, context);
    assert.deepEqual(status.replicas.map(({ name, state, routed }) => `${name} ${state} ${routed}`).toSorted(), [
      "shop-web-1 ready true",
      "shop-web-2 ready true",
    ]);

    await t.test("exec runs beside a replica, with its environment and its volume", async () => {
      const session = await provider.exec(
        { instance, replica: "shop-web-2", command: ["sh", "-c", 'cat > data/note; printf %s "$GREETING"; exit 3'] },
        context,
      );
      session.stdin.end("kept");
      assert.equal(await text(session.stdout), 'línea\n"two" $HOME 🚀');
      assert.equal(await session.exit, 3);
      assert.equal(await readFile(join(dir, "volumes/shop-web-2-storage/data/note"), "utf8"), "kept");
    });

    await t.test("resources are measured", async () => {
      const { replicas } = await provider.resources({ instance }, context);
      assert.deepEqual(replicas.map((each) => each.replica).sort(), ["shop-web-1", "shop-web-2"]);
      for (const each of replicas) assert.ok(each.memoryMb > 1);
    });

    await t.test("a run is a fresh copy that leaves nothing", async () => {
      const session = await provider.run(
        { instance, release: first, command: ["sh", "-c", 'echo "$GREETING"; ls; touch made; exit 5'] },
        context,
      );
      assert.deepEqual((await text(session.stdout)).split("\n").slice(2), ["data", "server.js", ""]);
      assert.equal(await session.exit, 5);
      assert.deepEqual(await readdir(join(dir, "runs")), []);
    });

    await write("server.js", server("two"));
    const second = await deploy(2, spec, { previous: first });
    assert.match(await get(url), /^two/);
    const printed = await collect(
      provider.logs({ instance, follow: false, previous: false, deployment: "dep_1" }, context),
    );
    const starts = printed.filter((line) => line.endsWith("starts"));
    assert.deepEqual(starts.toSorted(), ["shop-web-1: one starts", "shop-web-2: one starts"]);

    await t.test("a version that crashes leaves the old one serving, and says why", async () => {
      await write("server.js", 'console.log("dead on arrival"); process.exit(9)');
      const broken = await prepare(3, spec);
      await assert.rejects(provider.deploy(deployRequest(broken, { previous: second }), context), (error) => {
        assert.ok(isCtrlPlaneError(error));
        assert.equal(error.code, "FAILED");
        assert.equal(error.failure?.reverted, true);
        assert.equal(error.failure?.exitCode, 9);
        assert.ok(error.failure?.logTail?.includes("dead on arrival"));
        return true;
      });
      assert.match(await get(url), /^two/);
      assert.equal((await provider.status({ instance }, context)).settled?.number, 2);
    });

    await t.test("a rollback brings old files back although the source is another", async () => {
      await provider.rollback({ ...deployRequest(first, { deployment: "dep_4" }), previous: second }, context);
      assert.match(await get(url), /^one/);
      assert.equal(await readFile(join(dir, "volumes/shop-web-2-storage/data/note"), "utf8"), "kept");
    });

    await t.test("stop and start", async () => {
      const stopped = await provider.stop({ instance, signal: "SIGTERM", graceMs: 2000, drainMs: 0 }, context);
      assert.equal(stopped.state, "stopped");
      await assert.rejects(get(url));
      const { journal } = deployRequest(first);
      const started = await provider.start(
        { instance, release: first, replicas: 2, deployment: "dep_5", journal },
        context,
      );
      assert.equal(started.state, "serving");
      assert.match(await get(url), /^one/);
    });

    await provider.deprovision({ instance, volumes: false }, context);
    assert.deepEqual((await provider.list({}, context)).instances, []);
    assert.deepEqual(readdirSync(join(dir, "replicas")), []);
    assert.deepEqual(readdirSync(join(dir, "volumes")).sort(), ["shop-web-2-storage", "shop-web-storage"]);
    await assert.rejects(get(url));
    await provider.deprovision({ instance, volumes: true }, context);
  });

  test("other services reach an unpublished port where `address` says", async (t) => {
    const { provider, instance, write, deploy } = await workbench(t);
    await write("server.js", server("db"));
    const { spec } = await deploy(1, { ports: [{ containerPort: 5432, protocol: "auto" }] });
    const { ports, published: urls } = provider.address(instance, spec);
    assert.deepEqual(urls, []);
    assert.match(await get(ports[0]?.url ?? ""), /^db/);
  });

  test("another stack of the same name is not touched", async (t) => {
    const { provider, instance, write, deploy, context } = await workbench(t);
    await write("server.js", server("ours"));
    const { ports, url } = await published();
    const release = await deploy(1, { ports });
    const foreign = testIdentity(instance.platformId, "web", "shop", "lin_11111111111111111111111111");
    const theirs = { ...release, instance: foreign };
    for (const attempt of [
      () => provider.provision({ instance: foreign, spec: release.spec }, context),
      () => provider.deploy(deployRequest(theirs), context),
      () => provider.stop({ instance: foreign, signal: "SIGTERM", graceMs: 0, drainMs: 0 }, context),
      () => provider.deprovision({ instance: foreign, volumes: true }, context),
      () => provider.run({ instance: foreign, release: theirs, command: ["true"] }, context),
    ]) {
      await assert.rejects(attempt, { code: "CONFLICT" });
    }
    assert.match(await get(url), /^ours/);
  });

  test("a port that somebody took is named with its holder", async (t) => {
    const { provider, instance, write, prepare, context } = await workbench(t);
    const holder = createServer();
    t.after(() => holder.close());
    holder.listen(0, "127.0.0.1");
    await once(holder, "listening");
    // A TCP server on an address has one.
    const { port } = holder.address() as AddressInfo;
    await write("server.js", server("late"));
    const release = await prepare(1, { ports: [{ containerPort: 3000, hostPort: port, protocol: "auto" }] });
    const [found] = provider.check(release.spec, await provider.health(context), instance);
    assert.equal(found?.code, "port-in-use");
    assert.match(found?.summary ?? "", new RegExp(`port ${port} is in use by pid ${process.pid} `));
    await assert.rejects(provider.deploy(deployRequest(release), context), (error) => {
      assert.ok(isCtrlPlaneError(error));
      assert.equal(error.failure?.verdict, "PORT_IN_USE");
      return true;
    });
  });

  test("a port that another stack publishes is named with the instance, and stays its own", async (t) => {
    const { provider, instance, write, deploy, prepare, context } = await workbench(t);
    await write("server.js", server("first"));
    const { ports, url } = await published();
    await deploy(1, { ports });
    const { spec, image } = await prepare(1, { ports });
    const other = testRelease(testIdentity(instance.platformId, "web", "blog"), spec, image);
    await assert.rejects(provider.deploy(deployRequest(other), context), (error) => {
      assert.ok(isCtrlPlaneError(error));
      assert.match(error.message, /is published by shop-web/);
      assert.equal(error.failure?.verdict, "PORT_IN_USE");
      return true;
    });
    assert.match(await get(url), /^first/);
    assert.deepEqual(
      (await provider.list({}, context)).instances
        .filter((each) => each.name === "blog-web")
        .flatMap((each) => each.revisions),
      [],
    );
  });

  test("the run before a crash can be read apart", async (t) => {
    const { provider, instance, write, deploy, context } = await workbench(t);
    await write(
      "server.js",
      `${server("up")} if (require("node:fs").existsSync("data/crashed")) console.log("again"); else setTimeout(() => process.exit(4), 1000); require("node:fs").writeFileSync("data/crashed", "");`,
    );
    const { ports } = await published();
    await deploy(1, { ports, volumes: [{ path: "data", readOnly: false }] });
    for await (const line of provider.logs({ instance, follow: true, previous: false }, context))
      if (line.text === "again") break;
    assert.deepEqual(await collect(provider.logs({ instance, follow: false, previous: true }, context)), [
      "shop-web: up starts",
    ]);
    const { replicas } = await provider.status({ instance }, context);
    assert.equal(replicas[0]?.restarts, 1);
  });

  test("files are mounted where they are declared, and an old epoch is refused", async (t) => {
    const { provider, write, deploy, prepare } = await workbench(t);
    await write(
      "server.js",
      'require("node:http").createServer((q, r) => r.end(require("node:fs").readFileSync("conf/app.conf"))).listen(process.env.PORT)',
    );
    const { ports, url } = await published();
    const files = [
      {
        path: "conf/app.conf",
        source: "/nowhere",
        digest: "d".repeat(64),
        contentBase64: Buffer.from("debug = 1\n").toString("base64"),
      },
    ];
    await deploy(1, { ports, files });
    assert.equal(await get(url), "debug = 1\n");

    const release = await prepare(2, { ports, files, env: { NEW: "1" } });
    await provider.deploy(deployRequest(release), testContext({ epoch: 7 }));
    const stale = await prepare(3, { ports, files, env: { NEW: "2" } });
    await assert.rejects(provider.deploy(deployRequest(stale), testContext({ epoch: 6 })), { code: "CONFLICT" });
    assert.equal(await get(url), "debug = 1\n");
  });

  test("a run has the limits of its release, and nothing that it started outlives it", async (t) => {
    const { cpu, memory, reason } = cgroupSupport();
    if (!cpu || !memory) return t.skip(reason);
    const { provider, instance, write, prepare, context } = await workbench(t);
    await write("server.js", "");
    const release = await prepare(1, { scale: { replicas: 1, cpuMillis: 500, memoryMb: 64 } });
    const before = readFileSync("/proc/self/cgroup", "utf8");
    const command = ["sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!; cat /proc/self/cgroup"];
    const session = await provider.run({ instance, release, command }, context);
    assert.equal(readFileSync("/proc/self/cgroup", "utf8"), before);
    const [sleeper = "", ...groups] = (await text(session.stdout)).trim().split("\n");
    assert.equal(await session.exit, 0);
    const group = /\/pctl-[0-9a-f]+\/run-[0-9a-f]{16}$/;
    assert.ok(
      groups.some((each) => group.test(each)),
      groups.join(),
    );
    assert.ok(!isAlive(identify(Number(sleeper))), "what it left behind");
  });

  test("a file is its own command, and a string command runs by a shell", async (t) => {
    const { folder, write, deploy } = await workbench(t);
    const { ports, url } = await published();
    await write("server.js", server("shell"));
    await deploy(1, { ports, command: { shell: `exec "${process.execPath}" ./server.js; # $PORT` } });
    assert.match(await get(url), /^shell/);
    await writeFile(join(folder, "tool"), `#!${process.execPath}\n${server("file")}`, { mode: 0o755 });
    await deploy(2, {
      ports,
      entrypoint: ["./tool"],
      command: { args: [] },
      image: { kind: "path", path: join(folder, "tool"), declared: "./tool" },
    });
    assert.match(await get(url), /^file/);
  });
});
