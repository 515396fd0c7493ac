import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProviderContext } from "@ctrlplane/core/provider";
import { applyGateway, readGateway, removeGateway } from "../../packages/providers/docker/src/gateway/index.ts";
import { writeTable } from "../../packages/providers/docker/src/gateway/container.ts";
import { runLoad } from "../load/run-load.ts";
import {
  echoPort,
  fetchText,
  gatewayRig,
  hasCode,
  health,
  httpPort,
  options,
  published,
  table,
  testContext,
} from "./gateway.support.ts";

test("a second port starts a second container, and the first one does not notice", options, async (t) => {
  const { start, place, context, idOf } = await gatewayRig(t);
  const first = await published();
  const second = await published();
  const target = await start("one");
  await applyGateway(place, table([first.port], [[target, 100]]), context);
  const container = await idOf(`${place.instance.name}-gateway`);
  const over = new AbortController();
  const load = runLoad({ url: `${first.url}/slow?ms=20`, ratePerSecond: 150, connections: 50, signal: over.signal });
  await applyGateway(place, table([first.port, second.port], [[target, 100]]), context);
  assert.equal(await fetchText(second.url), "one");
  over.abort();
  assert.deepEqual((await load).failures, {});
  assert.equal(await idOf(`${place.instance.name}-gateway`), container);
  assert.ok((await idOf(`${place.instance.name}-gateway-2`)) !== undefined);

  // The first port goes, and its container with it; the second one stays where it is.
  await applyGateway(place, table([second.port], [[target, 100]]), context);
  assert.equal(await idOf(`${place.instance.name}-gateway`), undefined);
  assert.equal(await fetchText(second.url), "one");
  await assert.rejects(fetchText(first.url));
});

test("a port that is taken is told with who holds it, and what was routed still is", options, async (t) => {
  const { start, place, context, named, idOf } = await gatewayRig(t);
  const { url, port } = await published();
  const target = await start("one");
  await applyGateway(place, table([port], [[target, 100]]), context);
  const other = { ...place, instance: { ...place.instance, service: "other", name: named("other") } };
  const taken = table([port], [[target, 100]]);
  await assert.rejects(applyGateway(other, taken, context), (error) => {
    assert.match(String(error), new RegExp(`port ${port.hostPort} is in use by the container ${named("web")}-gateway`));
    return hasCode("FAILED", "PORT_IN_USE")(error);
  });
  assert.equal(await idOf(`${named("other")}-gateway`), undefined);

  const program = createServer().listen(0, "0.0.0.0");
  await once(program, "listening");
  t.after(() => program.close());
  const address = program.address();
  assert.ok(typeof address === "object" && address !== null);
  const ofHost = { containerPort: httpPort, hostPort: address.port, protocol: "auto" } as const;
  const both = table([port, ofHost], [[target, 100]]);
  await assert.rejects(applyGateway(place, both, context), hasCode("FAILED", "PORT_IN_USE"));
  assert.equal(await idOf(`${named("web")}-gateway-2`), undefined);
  assert.equal(await fetchText(url), "one");
});

test("killed, it is said to be down, and the next call starts it again as it was", options, async (t) => {
  const { start, place, context, engine, idOf } = await gatewayRig(t);
  const { url, port } = await published();
  const target = await start("one");
  const wanted = table([port], [[target, 100]]);
  assert.equal(await readGateway(place, context), undefined);
  await applyGateway(place, wanted, context);
  const id = await idOf(`${place.instance.name}-gateway`);
  await engine.json({ method: "POST", path: `/containers/${id}/kill` });
  const dead = await readGateway(place, context);
  assert.deepEqual(
    dead?.containers.map((each) => each.isRunning),
    [false],
  );
  assert.deepEqual(dead?.table, wanted);
  await assert.rejects(fetchText(url));

  await applyGateway(place, wanted, context);
  assert.equal(await fetchText(url), "one");
  assert.equal(await idOf(`${place.instance.name}-gateway`), id);

  await removeGateway(place, context);
  assert.equal(await readGateway(place, context), undefined);
  await removeGateway(place, context);
});

test("a container of others with its name is never touched", options, async (t) => {
  const { start, place, context, engine, named, idOf } = await gatewayRig(t);
  const target = await start("one");
  const { port } = await published();
  const body = { Image: "busybox:latest", Cmd: ["true"], Labels: { "ctrlplane-test": place.instance.stack } };
  const query = { name: `${named("web")}-gateway` };
  await engine.json({ method: "POST", path: "/containers/create", query, body });
  const before = await idOf(query.name);
  await assert.rejects(applyGateway(place, table([port], [[target, 100]]), context), hasCode("CONFLICT"));
  await removeGateway(place, context);
  assert.equal(await idOf(query.name), before);
});

test("a crash between any two writes leaves nothing that the next call does not finish", options, async (t) => {
  const { start, place, context } = await gatewayRig(t);
  const { url, port } = await published();
  const inner = { containerPort: echoPort, protocol: "tcp" } as const;
  const target = await start("one");
  const wanted = table([port, inner], [[target, 100]], { health: health("/health") });
  let finished = false;
  for (let writes = 0; writes < 12 && !finished; writes += 1) {
    await removeGateway(place, context);
    finished = await applyGateway(place, wanted, dyingAfter(writes)).then(
      () => true,
      (error: unknown) => !/killed here/.test(String(error)),
    );
    await applyGateway(place, wanted, context);
    assert.equal(await fetchText(url), "one", `after ${writes} writes`);
    assert.equal((await readGateway(place, context))?.containers.length, 1);
  }
  assert.ok(finished, "it needs more writes than expected");
});

test(
  "one that was made and never started is made anew, and one that another process is just starting is left",
  options,
  async (t) => {
    const { start, place, context, engine, idOf } = await gatewayRig(t);
    const { url, port } = await published();
    const wanted = table([port], [[await start("one"), 100]]);
    const name = `${place.instance.name}-gateway`;
    await applyGateway(place, wanted, context);
    const path = `/containers/${await idOf(name)}/json`;
    const { Config, HostConfig, NetworkSettings } = await engine.json<Details>({ method: "GET", path });
    const { Networks } = NetworkSettings;
    const EndpointsConfig = Object.fromEntries(
      Object.entries(Networks).map(([network, { Aliases }]) => [network, { Aliases }]),
    );
    const body = { ...Config, HostConfig, NetworkingConfig: { EndpointsConfig } };
    const unstarted = async (): Promise<string> => {
      await removeGateway(place, context);
      const query = { name };
      const made = await engine.json<{ readonly Id: string }>({
        method: "POST",
        path: "/containers/create",
        query,
        body,
      });
      return made.Id;
    };
    const left = await unstarted();
    await applyGateway(place, wanted, context);
    assert.notEqual(await idOf(name), left);
    assert.equal(await fetchText(url), "one");
    assert.equal((await readGateway(place, context))?.containers.length, 1);

    const id = await unstarted();
    const container = { id, name, isRunning: false, isUnstarted: true, publishes: [], isIntact: true };
    const stored = { table: wanted, probes: [] };
    const applied = applyGateway(place, wanted, context);
    await writeTable(place, container, stored, context);
    await sleep(500);
    await engine.json({ method: "POST", path: `/containers/${id}/start` });
    await applied;
    assert.equal(await idOf(name), id);
    assert.equal(await fetchText(url), "one");
  },
);

test("an image that cannot be had is told as such", options, async (t) => {
  const { start, place, context } = await gatewayRig(t);
  const target = await start("one");
  const { port } = await published();
  const missing = { ...place, image: "localhost:1/nowhere:none" };
  await assert.rejects(applyGateway(missing, table([port], [[target, 100]]), context), hasCode("FAILED", "IMAGE_PULL"));
});

interface Details {
  readonly Config: object;
  readonly HostConfig: object;
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly Aliases: readonly string[] | null }>>;
  };
}

/** A process that is killed right before the write after so many. */
function dyingAfter(writes: number): ProviderContext {
  let left = writes;
  const check = (): Promise<void> => {
    left -= 1;
    return left < 0 ? Promise.reject(new Error("killed here")) : Promise.resolve();
  };
  return testContext({ fence: { stack: "test", epoch: 1, check } });
}
