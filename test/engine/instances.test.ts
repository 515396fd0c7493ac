import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createControlPlane,
  createRedactor,
  createSealer,
  isCtrlPlaneError,
  type Instance,
  type Instances,
  type Run,
} from "@ctrlplane/core";
import { createReferenceProvider } from "@ctrlplane/provider-reference";
import { finish, running, withBench } from "./engine-fixture.ts";

/** Runs to its end. */
async function finishInstance(
  run: Promise<Run<Instance>>,
): Promise<{ instance: Instance; exitCode: number | undefined }> {
  const instance = await (await run).done;
  return { instance, exitCode: instance.change?.result?.exitCode };
}

test("a program deploys services one by one: create, look, scale, deploy, roll back, destroy", async () => {
  await withBench(async ({ folder, platform }) => {
    const provider = createReferenceProvider({ socket: platform.socket });
    const plane = createControlPlane({
      providers: { sim: provider },
      defaultProvider: "sim",
      sealer: createSealer(Buffer.alloc(32, 7)),
      redactor: createRedactor(),
      cacheDir: folder,
      folder,
      actor: { user: "program", host: "bench", pid: process.pid },
    });
    const service = { image: "ok:1", strategy: "recreate", env: { A: "1" } };
    const request = { tenant: "acme", service, idempotencyKey: "order-1" };
    assert.equal((await finishInstance(plane.instances.create(request))).exitCode, 0);
    const again = await finishInstance(plane.instances.create(request));
    assert.equal(again.instance.change?.result?.outcome, "unchanged", "one key, one instance");
    assert.equal(again.instance.status?.state, "serving");

    const [found] = await plane.instances.list({ tenant: "acme" });
    assert.ok(found !== undefined);
    const { status: _, change: __, ...identity } = again.instance;
    assert.deepEqual(identity, found);
    assert.deepEqual(await plane.instances.list({ tenant: "other" }), []);
    const seen = await plane.instances.get(found.id);
    assert.equal(seen.status?.state, "serving");
    assert.equal(seen.status.labels["pctl-tenant"], "acme");

    const scaled = await finishInstance(plane.instances.scale(found.id, 3));
    assert.deepEqual([scaled.exitCode, scaled.instance.status?.replicas.length], [0, 3]);
    assert.equal((await running(platform)).length, 3);
    assert.equal((await finishInstance(plane.instances.deploy(found.id, { ...service, image: "ok:2" }))).exitCode, 0);
    assert.deepEqual(
      (await plane.instances.releases(found.id)).map((each) => each.number),
      [2, 1],
    );
    assert.equal((await finishInstance(plane.instances.rollback(found.id))).exitCode, 0);
    assert.deepEqual(
      (await running(platform)).map((each) => each.split(" ")[1]),
      ["ok:1"],
    );
    assert.deepEqual(
      (await plane.instances.history(found.id)).map((each) => each.command),
      ["rollback", "deploy", "scale", "deploy"],
    );

    const broken = await finishInstance(plane.instances.deploy(found.id, { ...service, image: "crash" }));
    assert.deepEqual(
      [broken.exitCode, broken.instance.id, broken.instance.status?.settled?.number],
      [3, found.id, 1],
      "a run whose change failed resolves, too",
    );
    const destroyed = await finishInstance(plane.instances.destroy(found.id));
    assert.deepEqual([destroyed.exitCode, destroyed.instance.id, destroyed.instance.status], [0, found.id, undefined]);
    assert.deepEqual(await running(platform), []);
    await assert.rejects(
      plane.instances.get(found.id),
      (error) => isCtrlPlaneError(error) && error.code === "NOT_FOUND",
    );
    await plane.close();
  });
});

test("each command on an instance resolves with the instance", () => {
  type Resolved<Method extends (...args: never[]) => Promise<Run<unknown>>> = Awaited<
    Awaited<ReturnType<Method>>["done"]
  >;
  type Commands = "create" | "deploy" | "scale" | "start" | "stop" | "restart" | "rollback" | "destroy";
  const isInstance: { [Name in Commands]: Resolved<Instances[Name]> extends Instance ? true : never } = {
    create: true,
    deploy: true,
    scale: true,
    start: true,
    stop: true,
    restart: true,
    rollback: true,
    destroy: true,
  };
  assert.equal(Object.keys(isInstance).length, 8);
});

test("two tenants with one stack name do not meet", async () => {
  await withBench(async ({ folder, platform }) => {
    const plane = createControlPlane({
      providers: { sim: createReferenceProvider({ socket: platform.socket }) },
      defaultProvider: "sim",
      sealer: createSealer(Buffer.alloc(32, 7)),
      redactor: createRedactor(),
      cacheDir: folder,
      folder,
      actor: { user: "program", host: "bench", pid: process.pid },
    });
    const of = (tenant: string) => ({ tenant, name: "web", service: { image: "ok:1", strategy: "recreate" } });
    const [a, b] = await Promise.all([
      finishInstance(plane.instances.create(of("a"))),
      finishInstance(plane.instances.create(of("b"))),
    ]);
    assert.deepEqual([a.exitCode, b.exitCode], [0, 0]);
    assert.equal((await running(platform)).length, 2);
    await plane.close();
  });
});

test("what a provider cannot do is refused before anything is begun", async () => {
  await withBench(async ({ plane, platform, stack }) => {
    const declared = await stack(`  web: { image: "ok:1" }`);
    await finish(plane.stacks.deploy(declared));
    const before = JSON.stringify(await platform.harness.dump());
    await assert.rejects(
      plane.stacks.scale(declared, { web: { min: 1, max: 3 } }),
      (error) => isCtrlPlaneError(error) && error.code === "UNSUPPORTED" && /autoscaler/.test(error.message),
    );
    assert.equal(JSON.stringify(await platform.harness.dump()), before);
  });
});

test("deployments by id: listed, watched while they run and afterwards, promoted; recover ends what a dead process left", async () => {
  await withBench(async ({ folder, platform }) => {
    const plane = createControlPlane({
      providers: { sim: createReferenceProvider({ socket: platform.socket }) },
      defaultProvider: "sim",
      sealer: createSealer(Buffer.alloc(32, 7)),
      redactor: createRedactor(),
      cacheDir: folder,
      folder,
      actor: { user: "program", host: "bench", pid: process.pid },
    });
    const service = {
      image: "ok:1",
      ports: [{ containerPort: 80 }],
      strategy: { type: "blue_green", pause: "manual" },
    };
    await finishInstance(plane.instances.create({ service, stack: "one" }));
    const [instance] = await plane.instances.list();
    assert.ok(instance !== undefined);
    assert.equal(
      (await finishInstance(plane.instances.deploy(instance.id, { ...service, image: "ok:2" }))).exitCode,
      4,
    );
    const [paused] = await plane.deployments.list(instance.id);
    assert.ok(paused !== undefined);
    assert.deepEqual([paused.outcome, paused.change, paused.attempted], ["paused", 2, 2]);
    assert.equal((await plane.deployments.get(paused.id)).instance, instance.id);
    const seen = await Array.fromAsync(plane.deployments.watch(paused.id, { after: 1 }));
    assert.deepEqual(
      seen.map((each) => each.seq),
      seen.map((_, index) => index + 2),
    );
    assert.equal(seen.at(-1)?.type, "result");

    const run = await plane.deployments.promote(paused.id);
    const live = await Array.fromAsync(plane.deployments.watch(paused.id));
    assert.equal(live.at(-1)?.type, "result");
    assert.equal((await run.done).result?.exitCode, 0);
    assert.equal((await plane.releases.list(instance.id))[0]?.serving, true);
    assert.deepEqual(
      await plane
        .recover()
        .then((runs) => Promise.all(runs.map((each) => each.done)))
        .then((all) => all.map((each) => each.result?.outcome)),
      ["unchanged"],
    );

    await platform.harness.fault({ call: "route", kind: "error", code: "UNAVAILABLE" });
    const plain = { image: "ok:3", ports: service.ports };
    assert.equal((await finishInstance(plane.instances.deploy(instance.id, plain))).exitCode, 1);
    await platform.harness.clearFaults();
    assert.equal((await plane.deployments.list(instance.id))[0]?.outcome, "failed");
    const [recovery] = await plane.recover();
    assert.equal((await recovery?.done)?.result?.exitCode, 0);
    assert.deepEqual(
      (await running(platform)).map((each) => each.split(" ")[1]),
      ["ok:2"],
    );
    await plane.close();
  });
});
