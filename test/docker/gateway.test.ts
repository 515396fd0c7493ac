import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { HealthSpec } from "@ctrlplane/core/provider";
import type { GatewayPort } from "../../packages/providers/docker/src/gateway/index.ts";
import {
  applyGateway,
  drainTarget,
  probeTarget,
  readGateway,
  removeGateway,
} from "../../packages/providers/docker/src/gateway/index.ts";
import { dockerSocket } from "../engines/docker.ts";
import { runLoad } from "../load/run-load.ts";
import {
  bannerPort,
  echoPort,
  eventually,
  fetchText,
  freePort,
  gatewayRig,
  hasCode,
  httpPort,
  inFlight,
  table,
  testContext,
  type GatewayRig,
} from "./gateway-rig.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 180_000 };

function rigOf(t: TestContext, image?: string): Promise<GatewayRig> {
  assert.ok(socket !== undefined);
  return gatewayRig(t, socket, image);
}

/** One HTTP port of the host. */
async function published(): Promise<{
  readonly url: string;
  readonly port: GatewayPort & { readonly hostPort: number };
}> {
  const hostPort = await freePort();
  return { url: `http://127.0.0.1:${hostPort}`, port: { containerPort: httpPort, hostPort, protocol: "auto" } };
}

test(
  "25 changes of targets and weights under load lose nothing, and the container stays the same",
  options,
  async (t) => {
    const { start, kill, place, context, idOf } = await rigOf(t);
    const { url, port } = await published();
    let current = await start("v0");
    await applyGateway(place, table([port], [[current, 100]]), context);
    const container = await idOf(`${place.instance.name}-gateway`);
    const over = new AbortController();
    const load = runLoad({ url: `${url}/slow?ms=30`, ratePerSecond: 150, connections: 50, signal: over.signal });
    for (let round = 1; round <= 5; round += 1) {
      const next = await start(`v${round}`);
      for (const share of [10, 50, 90]) {
        await applyGateway(
          place,
          table(
            [port],
            [
              [current, 100 - share],
              [next, share],
            ],
          ),
          context,
        );
      }
      await applyGateway(
        place,
        table(
          [port],
          [
            [current, 0],
            [next, 100],
          ],
        ),
        context,
      );
      await drainTarget(place, current.id, { timeoutMs: 10_000 }, context);
      await kill(current);
      await applyGateway(place, table([port], [[next, 100]]), context);
      current = next;
    }
    over.abort();
    const report = await load;
    assert.deepEqual(report.failures, {});
    assert.ok(report.ok > 500, `${report.ok} answers`);
    assert.equal(await idOf(`${place.instance.name}-gateway`), container);
  },
);

test("control: the same without draining loses requests", options, async (t) => {
  const { start, kill, place, context } = await rigOf(t);
  const { url, port } = await published();
  let current = await start("v0");
  await applyGateway(place, table([port], [[current, 100]]), context);
  const over = new AbortController();
  const load = runLoad({ url: `${url}/slow?ms=300`, ratePerSecond: 100, connections: 50, signal: over.signal });
  for (let round = 1; round <= 3; round += 1) {
    const next = await start(`v${round}`);
    await applyGateway(place, table([port], [[next, 100]]), context);
    await kill(current);
    current = next;
  }
  over.abort();
  assert.ok((await load).failed > 0);
});

test("reloads lose nothing: a port and a health check come and go under load", options, async (t) => {
  const { start, place, context } = await rigOf(t);
  const { url, port } = await published();
  const targets = [
    [await start("one"), 50],
    [await start("two"), 50],
  ] as const;
  const inner = { containerPort: echoPort, protocol: "tcp" } as const;
  await applyGateway(place, table([port], targets), context);
  const over = new AbortController();
  const load = runLoad({ url: `${url}/slow?ms=20`, ratePerSecond: 150, connections: 50, signal: over.signal });
  for (let round = 0; round < 4; round += 1) {
    await applyGateway(place, table([port, inner], targets, { health: health("/health") }), context);
    await applyGateway(place, table([port], targets), context);
  }
  over.abort();
  assert.deepEqual((await load).failures, {});
});

test("a second port starts a second container, and the first one does not notice", options, async (t) => {
  const { start, place, context, idOf } = await rigOf(t);
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

test("draining waits for a request of 2 s, and closes what is open after its time", options, async (t) => {
  const { start, place, context } = await rigOf(t);
  const { url, port } = await published();
  const old = await start("old");
  const next = await start("next");
  await applyGateway(place, table([port], [[old, 100]]), context);
  const slow = fetchText(`${url}/slow?ms=2000`);
  const stream = fetchText(`${url}/stream?ms=60000`);
  stream.catch(() => undefined);
  await inFlight(old, 2);
  await applyGateway(
    place,
    table(
      [port],
      [
        [old, 0],
        [next, 100],
      ],
    ),
    context,
  );
  const began = performance.now();
  await drainTarget(place, old.id, { timeoutMs: 4000 }, context);
  const tookMs = performance.now() - began;
  assert.equal(await slow, "old");
  assert.ok(tookMs > 3500 && tookMs < 8000, `${tookMs} ms`);
  await assert.rejects(stream);
  assert.equal(await fetchText(url), "next");
});

test("draining knows what is left from before a reload, and clients that only may ask", options, async (t) => {
  const { start, place, context } = await rigOf(t);
  const { url, port } = await published();
  const old = await start("old");
  const next = await start("next");
  await applyGateway(place, table([port], [[old, 100]]), context);
  const slow = fetchText(`${url}/slow?ms=3000`);
  const idle = connect(port.hostPort, "127.0.0.1").setEncoding("latin1");
  t.after(() => idle.destroy());
  const ask = async (): Promise<string> => {
    idle.write("GET / HTTP/1.1\r\nHost: web\r\n\r\n");
    return String((await once(idle, "data"))[0]);
  };
  assert.match(await ask(), /old$/);
  await inFlight(old, 1);
  await applyGateway(place, table([port], [[old, 100]], { health: health("/health") }), context);
  await applyGateway(place, table([port], [[next, 100]], { health: health("/health") }), context);
  const drained = drainTarget(place, old.id, { timeoutMs: 20_000 }, context).then(() => "drained");
  assert.equal(await slow, "old");
  // It may still ask, and is answered by whom it was connected to; then it has to connect anew.
  assert.equal(await Promise.race([drained, pause(500)]), undefined);
  assert.match(await ask(), /connection: close[^]*old$/i);
  assert.equal(await drained, "drained");
});

test(
  "weights are exact: 90 and 10 over 2,000 requests within 3 points, and 1 of 100 is 1 of 100",
  options,
  async (t) => {
    const { start, place, context } = await rigOf(t);
    const { url, port } = await published();
    const [one, two] = [await start("one"), await start("two")];
    const shareOfTwo = async (weight: number): Promise<number> => {
      await applyGateway(
        place,
        table(
          [port],
          [
            [one, 100 - weight],
            [two, weight],
          ],
        ),
        context,
      );
      let answers = 0;
      const report = await runLoad({
        url,
        ratePerSecond: 500,
        durationMs: 4000,
        judge: ({ body }) => {
          if (body === "two") answers += 1;
          return body === "one" || body === "two" ? undefined : "no answer";
        },
      });
      assert.deepEqual(report.failures, {});
      return (answers / report.ok) * 100;
    };
    const tenth = await shareOfTwo(10);
    assert.ok(Math.abs(tenth - 10) < 3, `${tenth} %`);
    const hundredth = await shareOfTwo(1);
    assert.ok(Math.abs(hundredth - 1) < 0.5, `${hundredth} %`);
  },
);

test("TCP: echoed byte for byte, ended at drain; a server that speaks first is passed through", options, async (t) => {
  const { start, place, context } = await rigOf(t);
  const echo = { containerPort: echoPort, hostPort: await freePort(), protocol: "auto" } as const;
  const banner = { containerPort: bannerPort, hostPort: await freePort(), protocol: "auto" } as const;
  const old = await start("old");
  const next = await start("next");
  await applyGateway(place, table([echo, banner], [[old, 100]]), context);
  const client = connect(echo.hostPort, "127.0.0.1");
  await once(client, "connect");
  const said = Buffer.from([0, 255, 10, 13, 0, 200]);
  client.write(said);
  assert.deepEqual((await once(client, "data"))[0], said);
  const greeting = connect(banner.hostPort, "127.0.0.1");
  assert.equal(String((await once(greeting, "data"))[0]), "hello from old");

  await applyGateway(place, table([echo, banner], [[next, 100]]), context);
  client.write("still here");
  assert.equal(String((await once(client, "data"))[0]), "still here");
  const closed = once(client, "close");
  client.on("error", () => undefined);
  await drainTarget(place, old.id, { timeoutMs: 500 }, context);
  await closed;
});

test("an upgraded connection stays through changes, and ends at drain", options, async (t) => {
  const { start, place, context } = await rigOf(t);
  const { port } = await published();
  const old = await start("old");
  const next = await start("next");
  await applyGateway(place, table([port], [[old, 100]]), context);
  const client = connect(port.hostPort, "127.0.0.1");
  client.on("error", () => undefined).setEncoding("latin1");
  client.write("GET /talk HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  assert.match(String((await once(client, "data"))[0]), /^HTTP\/1.1 101 /);
  await applyGateway(
    place,
    table(
      [port],
      [
        [old, 50],
        [next, 50],
      ],
    ),
    context,
  );
  await applyGateway(place, table([port], [[next, 100]]), context);
  client.write("still here");
  assert.equal(String((await once(client, "data"))[0]), "still here");
  const closed = once(client, "close");
  await drainTarget(place, old.id, { timeoutMs: 500 }, context);
  await closed;
});

test("after the host was started anew, replicas are found wherever they are", options, async (t) => {
  const { start, restart, place, context, engine } = await rigOf(t);
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
  const { start, restart, place, context } = await rigOf(t);
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
  const { start, place, context } = await rigOf(t);
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

test("a port that is taken is told with who holds it, and what was routed still is", options, async (t) => {
  const { start, place, context, named, idOf } = await rigOf(t);
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
  const { start, place, context, engine, idOf } = await rigOf(t);
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
  const { start, place, context, engine, named, idOf } = await rigOf(t);
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
  const { start, place, context } = await rigOf(t);
  const { url, port } = await published();
  const inner = { containerPort: echoPort, protocol: "tcp" } as const;
  const target = await start("one");
  const wanted = table([port, inner], [[target, 100]], { health: health("/health") });
  let allowed = 0;
  const dying = testContext({
    fence: {
      stack: "test",
      epoch: 1,
      check: () => {
        allowed -= 1;
        if (allowed < 0) throw new Error("killed here");
      },
    },
  });
  let finished = false;
  for (let writes = 0; writes < 12 && !finished; writes += 1) {
    await removeGateway(place, context);
    allowed = writes;
    finished = await applyGateway(place, wanted, dying).then(
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
  "a target that fails its check gets nothing until it passes; where all fail, all get traffic",
  options,
  async (t) => {
    const { start, kill, place, context } = await rigOf(t);
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
    const { start, place, context } = await rigOf(t, image);
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
    assert.equal(await fetchText(url), "well");
    assert.deepEqual(
      (await readGateway(place, context))?.containers.map((each) => each.name),
      [`${place.instance.name}-gateway`],
    );
  });
}

test("an image that cannot be had is told as such", options, async (t) => {
  const { start, place, context } = await rigOf(t);
  const target = await start("one");
  const { port } = await published();
  const missing = { ...place, image: "localhost:1/nowhere:none" };
  await assert.rejects(applyGateway(missing, table([port], [[target, 100]]), context), hasCode("FAILED", "IMAGE_PULL"));
});

test("cancelled, it ends with CANCELLED", options, async (t) => {
  const { start, place, context } = await rigOf(t);
  const { url, port } = await published();
  const old = await start("old");
  const next = await start("next");
  await applyGateway(place, table([port], [[old, 100]]), context);
  const slow = fetchText(`${url}/slow?ms=4000`);
  await inFlight(old, 1);
  await applyGateway(place, table([port], [[next, 100]]), context);
  const signal = AbortSignal.timeout(300);
  await assert.rejects(
    drainTarget(place, old.id, { timeoutMs: 60_000 }, testContext({ signal })),
    hasCode("CANCELLED"),
  );
  assert.equal(await slow, "old");
});

function health(path: string): HealthSpec {
  return {
    probe: { kind: "http", path },
    intervalMs: 500,
    timeoutMs: 2000,
    retries: 2,
    graceMs: 0,
    onFailure: { action: "restart", declared: false },
  };
}
