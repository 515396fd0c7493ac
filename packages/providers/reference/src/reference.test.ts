import assert from "node:assert/strict";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { InstanceStatus, LogLine, Progress } from "@ctrlplane/core/provider";
import { bench, contextOf, deployOf, instance, release, strategy, type Bench } from "./deploy.test.support.ts";
import { startReferencePlatform } from "./start-platform.ts";

const context = contextOf();

/** Replicas of an instance, as the platform itself has them: `image-ordinal`, `*` where routed. */
async function look({ platform }: Bench): Promise<string> {
  const { replicas, instances } = await platform.harness.dump();
  const targets = instances[instance.name]?.route?.targets ?? {};
  const texts = Object.values(replicas).map(
    (each) => `${each.behaviour}-${each.ordinal}${each.stopped ? "(stopped)" : ""}${each.id in targets ? "*" : ""}`,
  );
  return texts.sort().join(" ");
}

const brief = ({ state, settled, replicas }: InstanceStatus) => [state, settled?.number, replicas.length];

test("deploy, a change of scale, rollback, stop, start, restart, deprovision", async () => {
  await using at = await bench();
  const { provider } = at;
  const [one, two] = [release(1, "ok"), release(2, "ok#2")];

  const first = await provider.deploy(deployOf(one), context);
  assert.deepEqual([first.state, ...brief(first.status)], ["serving", "serving", 1, 2]);
  await provider.deploy(deployOf(two, { previous: one }), context);
  assert.equal(await look(at), "ok#2-1* ok#2-2*");

  const scaledBy = { by: "me", at: "now", change: 3 };
  const { journal } = deployOf(two);
  const scaled = await provider.scale(
    { instance, release: two, replicas: 3, scaledBy, deployment: "dep_3", journal },
    context,
  );
  assert.deepEqual([...brief(scaled), scaled.settled?.scaledBy], ["serving", 2, 3, scaledBy]);
  const before = Object.keys((await at.platform.harness.dump()).replicas);

  const ending = { signal: "SIGTERM", graceMs: 0, drainMs: 0 };
  const stopped = await provider.stop({ instance, ...ending }, context);
  assert.deepEqual([stopped.state, stopped.stopped, stopped.addresses], ["stopped", true, []]);
  assert.equal(await look(at), "ok#2-1(stopped) ok#2-2(stopped) ok#2-3(stopped)");
  const started = await provider.start(deployOf(two, { replicas: 3, deployment: "dep_4" }), context);
  assert.deepEqual([...brief(started), started.stopped], ["serving", 2, 3, false]);
  assert.deepEqual(Object.keys((await at.platform.harness.dump()).replicas), before, "the same replicas run again");

  const restarted = await provider.restart(deployOf(two, { replicas: 3, deployment: "dep_5" }), context);
  assert.deepEqual([...brief(restarted), restarted.settled?.generation], ["serving", 2, 3, 1]);
  const after = Object.keys((await at.platform.harness.dump()).replicas);
  assert.ok(!after.some((id) => before.includes(id)), "every replica is a new one");
  await provider.restart(deployOf(two, { replicas: 3, deployment: "dep_5" }), context);
  assert.deepEqual(
    Object.keys((await at.platform.harness.dump()).replicas),
    after,
    "the same restart again does nothing",
  );

  const back = await provider.rollback(deployOf(one, { previous: two, deployment: "dep_6" }), context);
  assert.deepEqual(brief(back.status), ["serving", 1, 2]);

  await provider.deprovision({ instance, volumes: false }, context);
  await provider.deprovision({ instance, volumes: false }, context);
  assert.equal(await look(at), "");
  await assert.rejects(provider.status({ instance }, context), { code: "NOT_FOUND" });
});

test("scaling resources replaces replicas, and what cannot run is reverted", async () => {
  await using at = await bench();
  const one = release(1, "ok");
  await at.provider.deploy(deployOf(one), context);
  const { journal } = deployOf(one);
  const before = Object.keys((await at.platform.harness.dump()).replicas);
  const status = await at.provider.scale(
    { instance, release: one, resources: { memoryMb: 256 }, deployment: "dep_2", journal },
    context,
  );
  assert.notEqual(status.settled?.replicaHash, one.revision.replicaHash);
  const after = Object.keys((await at.platform.harness.dump()).replicas);
  assert.ok(!after.some((id) => before.includes(id)));
  assert.equal(after.length, 2);
});

for (const [image, verdict] of [
  ["crash:3", "EXITED"],
  ["unhealthy", "UNHEALTHY"],
  ["noport", "PORT_CLOSED"],
  ["badimage", "IMAGE_PULL"],
] as const) {
  test(`a release that is ${image} fails with ${verdict}, and the old one serves`, async () => {
    await using at = await bench();
    const one = release(1, "ok");
    await at.provider.deploy(deployOf(one), context);
    const told: Progress[] = [];
    const failing = deployOf(release(2, image), { previous: one, strategy });
    await assert.rejects(
      at.provider.deploy(failing, contextOf(1, undefined, told)),
      (error: { code: string; failure: Record<string, unknown> }) => {
        assert.deepEqual([error.code, error.failure["verdict"], error.failure["reverted"]], ["FAILED", verdict, true]);
        if (image === "crash:3") assert.equal(error.failure["exitCode"], 3);
        return true;
      },
    );
    assert.equal(await look(at), "ok-1* ok-2*");
    assert.ok(told.some((each) => each.type === "replica.failed"));
  });
}

test("a release that dies after it was routed is taken back within the five seconds", async () => {
  await using at = await bench();
  const one = release(1, "ok");
  await at.provider.deploy(deployOf(one), context);
  const request = deployOf(release(2, "dies:300"), { previous: one, strategy });
  await assert.rejects(at.provider.deploy(request, context), { code: "FAILED" });
  assert.equal(await look(at), "ok-1* ok-2*");
});

test("a start that fails leaves it stopped", async () => {
  await using at = await bench();
  const one = release(1, "ok");
  await at.provider.deploy(deployOf(one), context);
  await at.provider.stop({ instance, signal: "SIGTERM", graceMs: 0, drainMs: 0 }, context);
  await at.platform.harness.fault({ call: "waitReady", kind: "error", code: "FAILED", times: 9 });
  const failed = { code: "FAILED", reason: "waitReady failed by order", reverted: true };
  await assert.rejects(at.provider.start(deployOf(one, { deployment: "dep_2" }), context), {
    code: "FAILED",
    failure: failed,
  });
  assert.equal((await at.provider.status({ instance }, context)).state, "stopped");
  assert.equal(await look(at), "ok-1(stopped) ok-2(stopped)");
});

test("instances come in pages, in order, with what a plan needs", async () => {
  await using at = await bench();
  const names = Array.from({ length: 7 }, (_, index) => `shop-s${index}`);
  const labels = { "managed-by": "pctl", "pctl-stack": "shop", "pctl-lineage": "lin_1" };
  const plain = { stack: "shop", stopped: false, volumes: [] };
  const instances = names.map((name) => ({
    ...plain,
    name,
    service: name,
    labels: { ...labels, "pctl-service": name },
  }));
  const foreign = { ...plain, name: "shop-web", service: "web", labels: {} };
  await at.platform.harness.plant({ instances: [...instances, foreign] });
  await at.platform.harness.resetCounts();

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await at.provider.list(
      { stack: "shop", limit: 3, ...(cursor === undefined ? {} : { cursor }) },
      context,
    );
    seen.push(...page.instances.map((each) => each.name));
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(seen, names);
  assert.deepEqual(await at.platform.harness.counts(), { list: 3 });

  const named = await at.provider.list({ stack: "other", names: ["shop-web"] }, context);
  assert.deepEqual(
    named.instances.map((each) => each.name),
    ["shop-web"],
  );
  await assert.rejects(at.provider.deploy(deployOf(release(1, "ok")), context), { code: "CONFLICT" });
  assert.deepEqual((await at.platform.harness.dump()).instances["shop-web"], foreign, "it is not touched");
});

test("an old lease is refused, and every write shows its epoch", async () => {
  await using at = await bench();
  await at.provider.deploy(deployOf(release(1, "ok")), contextOf(7));
  await assert.rejects(at.provider.deploy(deployOf(release(2, "ok#2")), contextOf(6)), { code: "CONFLICT" });
  const { writes } = await at.platform.harness.dump();
  assert.ok(writes.length > 5);
  assert.deepEqual([...new Set(writes.map((each) => each.epoch))], [7]);
});

test("the ledger keeps one writer at a time", async () => {
  await using at = await bench();
  const { ledger } = at.provider;
  assert.ok(ledger);
  const version = await ledger.create("shop/a", "1", context);
  await assert.rejects(ledger.create("shop/a", "2", context), { code: "CONFLICT" });
  const swaps = Array.from({ length: 8 }, (_, index) => ledger.swap("shop/a", `by ${index}`, version, context));
  const outcomes = await Promise.allSettled(swaps);
  assert.equal(outcomes.filter((each) => each.status === "fulfilled").length, 1);
  await ledger.create("shop/b", "x", context);
  assert.deepEqual(await ledger.list("shop/", context), ["shop/a", "shop/b"]);
  await assert.rejects(ledger.remove("shop/a", version, context), { code: "CONFLICT" });
  await ledger.remove("shop/a", undefined, context);
  await ledger.remove("shop/a", undefined, context);
  assert.equal(await ledger.read("shop/a", context), undefined);
});

test("logs, exec and run", async () => {
  await using at = await bench();
  const one = release(1, "ok");
  await at.provider.deploy(deployOf(one), context);
  const stop = new AbortController();
  const read: LogLine[] = [];
  const request = { instance, follow: true, previous: false, replica: "shop-web-1" };
  for await (const line of at.provider.logs(request, contextOf(1, stop.signal))) {
    read.push(line);
    if (read.length === 1) await at.platform.harness.log({ name: "shop-web-1", text: "more" });
    else stop.abort();
  }
  assert.deepEqual(
    read.map((each) => each.text),
    ["shop-web-1 of release 1 starts (ok)", "more"],
  );

  const session = await at.provider.exec({ instance, command: ["cat"] }, context);
  session.stdin.end("typed\n");
  assert.equal(await text(session.stdout), "typed\n");
  assert.equal(await session.exit, 0);
  const env = await at.provider.run({ instance, release: one, command: ["env", "GREETING"] }, context);
  assert.equal(await text(env.stdout), "hello\n");
  const own = await at.provider.run({ instance, release: release(2, "crash:4") }, context);
  assert.equal(await own.exit, 4);
});

test("volumes stay until they are named, and those in use by others stay even then", async () => {
  await using at = await bench();
  const spec = {
    volumes: [
      { path: "/data", readOnly: false },
      { path: "/shared", name: "uploads", readOnly: false },
    ],
  };
  const one = release(1, "ok", spec);
  const { volumes } = await at.provider.provision({ instance, spec: one.spec }, context);
  assert.deepEqual(volumes, ["shop-web-storage", "shop-uploads", "shop-web-2-storage"]);
  await at.provider.deprovision({ instance, volumes: false }, context);
  assert.equal(Object.keys((await at.platform.harness.dump()).volumes).length, 3);
  await at.provider.provision({ instance, spec: one.spec }, context);
  await at.provider.provision(
    { instance: { ...instance, name: "shop-other" }, spec: { ...one.spec, volumes: spec.volumes.slice(1) } },
    context,
  );
  await at.provider.deprovision({ instance, volumes: true }, context);
  assert.deepEqual(Object.keys((await at.platform.harness.dump()).volumes), ["shop-uploads"]);
});

test("a file or a folder is an image by its content", async () => {
  await using at = await bench();
  const file = join(at.folder, "web");
  const image = { kind: "path", path: file, declared: "./web" } as const;
  const { spec } = release(1, "ok", { image });
  const identify = () => at.provider.identifyImage({ instance, spec, cacheDir: at.folder }, context);
  await assert.rejects(identify(), { code: "INVALID" });
  await writeFile(file, "crash:5");
  const pinned = await identify();
  assert.deepEqual(await identify(), pinned);
  await at.provider.buildImage({ instance, spec, image: pinned }, context);
  const session = await at.provider.run(
    { instance, release: { ...release(1, "ok", { image }), image: pinned } },
    context,
  );
  assert.equal(await session.exit, 5);
  await writeFile(file, "ok");
  await assert.rejects(at.provider.buildImage({ instance, spec, image: pinned }, context), { code: "CONFLICT" });
  assert.notEqual((await identify()).digest, pinned.digest);
});

test("a platform that ends and comes back goes on with what it had", async () => {
  await using at = await bench();
  await at.provider.deploy(deployOf(release(1, "ok")), context);
  await at.platform.stop();
  await assert.rejects(at.provider.status({ instance }, context), { code: "UNAVAILABLE" });
  const again = await startReferencePlatform({ folder: at.folder });
  try {
    assert.deepEqual(brief(await at.provider.status({ instance }, context)), ["serving", 1, 2]);
  } finally {
    await again.stop();
  }
});

test("what answers twice, loses its answer, or stalls changes nothing about the end", async () => {
  const faults = [
    { kind: "double" },
    { kind: "lost-reply" },
    { kind: "delay", ms: 20 },
    { kind: "error", code: "UNAVAILABLE", retryable: true },
  ] as const;
  await using at = await bench();
  for (const fault of faults) {
    await at.platform.harness.erase({ name: instance.name });
    await at.platform.harness.clearFaults();
    const calls = ["replicas", "instance", "create", "start", "waitReady", "route", "settle"];
    for (const call of calls) await at.platform.harness.fault({ call, ...fault });
    await at.platform.harness.resetCounts();
    await at.provider.deploy(deployOf(release(1, "ok")), context);
    assert.equal(await look(at), "ok-1* ok-2*", fault.kind);
    const { create } = await at.platform.harness.counts();
    assert.equal(
      create,
      fault.kind === "double" || fault.kind === "delay" ? 2 : 3,
      `${fault.kind}: the one that failed was made again`,
    );
  }
});

test("a call that is never answered ends with the signal", async () => {
  await using at = await bench();
  await at.platform.harness.fault({ call: "health", kind: "hang" });
  const call = at.provider.health(contextOf(1, AbortSignal.timeout(100)));
  await assert.rejects(call, { code: "CANCELLED" });
  assert.ok((await at.provider.health(context)).platformId.startsWith("reference_"));
});

test("a process that deploys can be killed at any call, and another one finishes", async () => {
  const script = fileURLToPath(new URL("deploy-once.test.support.ts", import.meta.url));
  const kinds = ["kill-before", "kill-after"] as const;
  await using at = await bench();
  for (const nth of [5, 6, 9, 12]) {
    await at.platform.harness.erase({ name: instance.name });
    const [one, two] = [release(1, "ok"), release(2, "ok#2")];
    await at.provider.deploy(deployOf(one), context);
    await at.platform.harness.fault({ call: "*", nth, kind: kinds[nth % 2] ?? "kill-before" });
    const child = spawn(process.execPath, ["--conditions=source", script, at.platform.socket], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.equal(signal, "SIGKILL", `call ${nth}`);
    await at.platform.harness.clearFaults();
    await at.provider.deploy(deployOf(two, { previous: one }), context);
    assert.equal(await look(at), "ok#2-1* ok#2-2*", `call ${nth}`);
  }
});
