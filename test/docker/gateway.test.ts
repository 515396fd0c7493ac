import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { applyGateway, drainTarget } from "../../packages/providers/docker/src/gateway/index.ts";
import { runLoad } from "../load/run-load.ts";
import {
  bannerPort,
  echoPort,
  fetchText,
  gatewayRig,
  hasCode,
  health,
  httpPort,
  inFlight,
  options,
  published,
  table,
  testContext,
} from "./gateway.support.ts";
import { freePort } from "../free-port.ts";

test(
  "25 changes of targets and weights under load lose nothing, and the container stays the same",
  options,
  async (t) => {
    const { start, kill, place, context, idOf } = await gatewayRig(t);
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

test("12 replicas, each replaced by the next at once, lose nothing", options, async (t) => {
  const { start, kill, place, context, logOf } = await gatewayRig(t);
  const { url, port } = await published();
  let current = await start("v0");
  await applyGateway(place, table([port], [[current, 100]]), context);
  const over = new AbortController();
  const load = runLoad({ url: `${url}/slow?ms=20`, ratePerSecond: 150, connections: 50, signal: over.signal });
  for (let round = 1; round <= 12; round += 1) {
    const next = await start(`v${round}`);
    await applyGateway(place, table([port], [[next, 100]]), context);
    await drainTarget(place, current.id, { timeoutMs: 10_000 }, context);
    await kill(current);
    current = next;
  }
  over.abort();
  const { failures } = await load;
  if (Object.keys(failures).length > 0) t.diagnostic(await logOf(`${place.instance.name}-gateway`));
  assert.deepEqual(failures, {});
});

test("control: the same without draining loses requests", options, async (t) => {
  const { start, kill, place, context } = await gatewayRig(t);
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
  const { start, place, context } = await gatewayRig(t);
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

test("draining waits for a request of 2 s, and closes what is open after its time", options, async (t) => {
  const { start, place, context } = await gatewayRig(t);
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
  const { start, place, context } = await gatewayRig(t);
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
    const { start, place, context } = await gatewayRig(t);
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
  const { start, place, context } = await gatewayRig(t);
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

test("a client of HTTP whose first bytes come late is one: its connection outlives the replica", options, async (t) => {
  const { start, kill, place, context } = await gatewayRig(t);
  const port = { containerPort: httpPort, hostPort: await freePort(), protocol: "auto" } as const;
  const old = await start("old");
  const next = await start("next");
  await applyGateway(place, table([port], [[old, 100]]), context);
  const client = connect(port.hostPort, "127.0.0.1").setEncoding("latin1");
  t.after(() => client.destroy());
  await once(client, "connect");
  // As after a packet that was lost, or on a machine that stood still.
  await pause(600);
  const asks = async (word: string): Promise<void> => {
    client.write("GET / HTTP/1.1\r\nHost: web\r\n\r\n");
    const signal = AbortSignal.timeout(10_000);
    for (let said = ""; !said.endsWith(word);) said += String((await once(client, "data", { signal }))[0]);
  };
  await asks("old");
  await applyGateway(place, table([port], [[next, 100]]), context);
  await drainTarget(place, old.id, { timeoutMs: 500 }, context);
  await kill(old);
  await asks("next");
});

test("an upgraded connection stays through changes, and ends at drain", options, async (t) => {
  const { start, place, context } = await gatewayRig(t);
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

test("cancelled, it ends with CANCELLED", options, async (t) => {
  const { start, place, context } = await gatewayRig(t);
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
