import assert from "node:assert/strict";
import { test } from "node:test";
import { applyGateway, probeTarget, readGateway } from "../../packages/providers/docker/src/gateway/index.ts";
import { runLoad } from "../load/run-load.ts";
import {
  echoPort,
  eventually,
  fetchText,
  gatewayRig,
  health,
  httpPort,
  options,
  published,
  table,
} from "./gateway.support.ts";

test("after the host was started anew, replicas are found wherever they are", options, async (t) => {
  const { start, restart, place, context, engine } = await gatewayRig(t);
  const { url, port } = await published();
  const target = await start("one");
  await applyGateway(place, table([port], [[target, 100]]), context);
  const path = `/containers/${place.instance.name}-gateway`;
  await engine.json({ method: "POST", path: `${path}/kill` });
  const host = await restart(target, async () => {
    for (const each of ["thief", "another", "third"]) await start(each);
  });
  assert.notEqual(host, target.host);
  // Nobody of ours says anything to it.
  await engine.json({ method: "POST", path: `${path}/start` });
  await eventually(async () => (await fetchText(url)) === "one");
  // And from now on it follows by itself.
  await restart(target, () => start("fourth"));
  await eventually(async () => (await fetchText(url)) === "one");
  // The next call finds it so.
  await applyGateway(place, table([port], [[{ ...target, host }, 100]]), context);
  assert.equal(await fetchText(url), "one");
});

test("a replica that starts anew at another address is found by a gateway that runs", options, async (t) => {
  const { start, restart, place, context } = await gatewayRig(t);
  const { url, port } = await published();
  const [first, second] = [await start("first"), await start("second")];
  await applyGateway(place, table([port], [[first, 100]]), context);
  // It was told of this one at run time.
  await applyGateway(place, table([port], [[second, 100]]), context);
  const host = await restart(second, async () => {
    for (const each of ["thief", "another", "third"]) await start(each);
  });
  assert.notEqual(host, second.host);
  await eventually(async () => (await fetchText(url)) === "second");
});

test("more targets than there was room for", options, async (t) => {
  const { start, place, context } = await gatewayRig(t);
  const { url, port } = await published();
  const targets = await Promise.all(["a", "b", "c", "d", "e", "f", "g", "h", "i"].map((each) => start(each)));
  const [first] = targets;
  assert.ok(first !== undefined);
  await applyGateway(place, table([port], [[first, 100]]), context);
  const over = new AbortController();
  const load = runLoad({ url, ratePerSecond: 100, connections: 20, signal: over.signal });
  const all = targets.map((each) => [each, 100 / targets.length] as const);
  await applyGateway(place, table([port], all), context);
  const seen = new Set<string>();
  for (let count = 0; count < 3 * targets.length; count += 1) seen.add(await fetchText(url));
  over.abort();
  assert.deepEqual((await load).failures, {});
  assert.equal(seen.size, targets.length);
});

test(
  "a target that fails its check gets nothing until it passes; where all fail, all get traffic",
  options,
  async (t) => {
    const { start, kill, place, context } = await gatewayRig(t);
    const { url, port } = await published();
    const well = await start("well");
    const ill = await start("ill", { HEALTH: "503" });
    const both = table(
      [port],
      [
        [well, 50],
        [ill, 50],
      ],
      { health: health("/health") },
    );
    await applyGateway(place, both, context);
    await eventually(async () => {
      const seen = new Set<string>();
      for (let count = 0; count < 10; count += 1) seen.add(await fetchText(url));
      return seen.size === 1 && seen.has("well");
    });
    await kill(well);
    await eventually(async () => (await fetchText(url)) === "ill");
  },
);

for (const image of ["haproxy:lts", "haproxy:lts-alpine"]) {
  test(`${image}: probes replicas that are not routed, before there is a gateway and after`, options, async (t) => {
    const { start, place, context } = await gatewayRig(t, image);
    const { url, port } = await published();
    const well = await start("well");
    const ill = await start("ill", { HEALTH: "503" });
    const probe = { kind: "http", path: "/health" } as const;
    const soon = { timeoutMs: 1500 };
    const enough = { timeoutMs: 20_000 };
    assert.deepEqual(await probeTarget(place, well, httpPort, probe, enough, context), { passed: true });
    const bad = await probeTarget(place, ill, httpPort, probe, soon, context);
    assert.ok(!bad.passed);
    assert.match(bad.reason, /503/);
    await applyGateway(place, table([port], [[well, 100]]), context);
    assert.equal(await fetchText(url), "well");
    assert.deepEqual(await probeTarget(place, ill, echoPort, { kind: "tcp" }, enough, context), { passed: true });
    assert.deepEqual(await probeTarget(place, ill, 3999, { kind: "tcp" }, soon, context), {
      passed: false,
      reason: "port 3999 is closed",
    });
    // Nobody needs to know any more: it does not ask for an hour.
    const over = { timeoutMs: 3_600_000, enough: AbortSignal.abort() };
    assert.equal((await probeTarget(place, ill, 3999, { kind: "tcp" }, over, context)).passed, false);
    assert.equal(await fetchText(url), "well");
    assert.deepEqual(
      (await readGateway(place, context))?.containers.map((each) => each.name),
      [`${place.instance.name}-gateway`],
    );
  });
}
