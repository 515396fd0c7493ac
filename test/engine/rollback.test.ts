import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core";
import { finish, running, withBench, type Bench } from "./engine-fixture.ts";

const web = (image: string, more = ""): string => `  web: { image: "${image}", strategy: recreate${more} }`;

async function deploy(bench: Bench, services: string): Promise<number | undefined> {
  return (await finish(bench.plane.stacks.deploy(await bench.stack(services)))).exitCode;
}

/** The deploy of a process that dies: its fence breaks off at the first call of this name, and its intent stays. */
async function deployHalf(bench: Bench, services: string, call: string): Promise<void> {
  await bench.platform.harness.fault({ call, kind: "error", code: "UNAVAILABLE" });
  assert.equal(await deploy(bench, services), 1);
  await bench.platform.harness.clearFaults();
}

const isNotFound = (error: unknown): boolean => isCtrlPlaneError(error) && error.code === "NOT_FOUND";

describe("rollback", { concurrency: 6 }, () => {
  test("after a deploy that failed and was taken back, nothing older is undone", async () => {
    await withBench(async (bench) => {
      const { plane, platform, stack } = bench;
      await deploy(bench, web("ok:1"));
      await deploy(bench, web("ok:2"));
      assert.equal(await deploy(bench, web("crash:1")), 3);
      await assert.rejects(plane.stacks.rollback(await stack(web("crash:1"))), isNotFound);
      await assert.rejects(plane.stacks.rollback(await stack(web("crash:1")), { change: 1 }), { code: "CONFLICT" });
      assert.deepEqual(await running(platform), ["shop-web ok:2 100%"]);
      const named = await finish(plane.stacks.rollback(await stack(web("crash:1")), { change: 2 }));
      assert.equal(named.exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
    });
  });

  test("a service goes back to the release that served before, never to one that failed", async () => {
    await withBench(async (bench) => {
      const { plane, platform, stack } = bench;
      await deploy(bench, web("ok:1"));
      assert.equal(await deploy(bench, web("crash:1")), 3);
      await deploy(bench, web("ok:3"));
      const declared = await stack(web("ok:3"));
      assert.equal((await finish(plane.stacks.rollback(declared, { service: "web" }))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
      await assert.rejects(plane.stacks.rollback(declared, { service: "web" }), isNotFound);
    });
  });

  test("a deploy that did not finish is what is undone, and not the one before it", async () => {
    await withBench(async (bench) => {
      const { plane, platform, stack } = bench;
      await deploy(bench, web("ok:1"));
      await deploy(bench, web("ok:2"));
      await deployHalf(bench, web("ok:3"), "waitReady");
      const declared = await stack(web("ok:3"));
      const { exitCode, change } = await finish(plane.stacks.rollback(declared));
      assert.equal(exitCode, 0, JSON.stringify(change.result));
      assert.deepEqual(await running(platform), ["shop-web ok:2 100%"]);
      assert.equal((await plane.stacks.status(declared)).services[0]?.unfinished, undefined);
      await assert.rejects(plane.stacks.rollback(declared), isNotFound);
    });
  });

  test("by name too, and a first release that did not finish is taken away", async () => {
    await withBench(async (bench) => {
      const { plane, platform, stack } = bench;
      await deploy(bench, web("ok:1"));
      await deployHalf(bench, web("ok:2"), "waitReady");
      const declared = await stack(web("ok:2"));
      assert.equal((await finish(plane.stacks.rollback(declared, { service: "web" }))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
      const more = `${web("ok:1")}\n  api: { image: ok, strategy: recreate }`;
      await deployHalf(bench, more, "waitReady");
      assert.equal((await finish(plane.stacks.rollback(await stack(more)))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
    });
  });

  test("what the last change removed comes back, and what it created goes", async () => {
    await withBench(async (bench) => {
      const { plane, platform, stack } = bench;
      await deploy(bench, `${web("ok:1")}\n  old: { image: "ok:9", strategy: recreate }`);
      const next = `${web("ok:1")}\n  api: { image: "ok:5", strategy: recreate }`;
      await deploy(bench, next);
      assert.deepEqual(await running(platform), ["shop-api ok:5 100%", "shop-web ok:1 100%"]);
      assert.equal((await finish(plane.stacks.rollback(await stack(next)))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-old ok:9 100%", "shop-web ok:1 100%"]);
      assert.equal((await plane.stacks.state.show(await stack(next)))?.entries["shop-old"]?.destroyed, undefined);
    });
  });

  test("a destroy is undone to what served then", async () => {
    await withBench(async (bench) => {
      const { plane, platform, stack } = bench;
      await deploy(bench, web("ok:1"));
      await deploy(bench, web("ok:2"));
      const declared = await stack(web("ok:2"));
      await finish(plane.stacks.destroy(declared));
      assert.equal((await finish(plane.stacks.rollback(declared))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:2 100%"]);
    });
  });

  test("the release that was left stays on record, however few are kept", async () => {
    await withBench(async (bench) => {
      const { plane, platform, stack } = bench;
      const kept = (image: string): string => web(image, ", keep: 2");
      for (const image of ["ok:1", "ok:2", "ok:3"]) await deploy(bench, kept(image));
      const declared = await stack(kept("ok:3"));
      assert.equal((await finish(plane.stacks.rollback(declared))).exitCode, 0);
      await deploy(bench, kept("ok:4"));
      await deploy(bench, kept("ok:5"));
      await finish(plane.stacks.rollback(declared));
      await deploy(bench, kept("ok:6"));
      assert.equal((await finish(plane.stacks.rollback(declared))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:4 100%"]);
    });
  });
});
