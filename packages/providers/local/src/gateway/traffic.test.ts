import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { trafficBetween } from "../cut-over.ts";
import { echoWebSocket } from "./echo-web-socket.test.support.ts";
import { RawClient } from "./raw-client.test.support.ts";
import { httpReplica, testGateway } from "./replica.test.support.ts";
import type { TrafficCounts } from "./traffic.ts";

const deadline = { timeout: 120_000 };
const never = new AbortController().signal;

test(
  "requests of an instance are counted over all its replicas; what it did not answer whole is failed",
  deadline,
  async (t) => {
    const first = await httpReplica(t, "web-1", (incoming, response) => {
      if (incoming.url === "/reset") response.socket?.destroy();
      else if (incoming.url === "/half") response.write("half", () => response.socket?.destroy());
      else if (incoming.url === "/wrong") response.writeHead(500).end();
      else if (incoming.url === "/endless") response.write("begun");
      else response.end("yes");
    });
    const second = await httpReplica(t, "web-2", (_incoming, response) => response.end("yes"));
    const { gateway, url, port, route } = await testGateway(t, "http", first.target);
    const counts = (): TrafficCounts | undefined => gateway.traffic("shop-web");
    const ask = async (path: string): Promise<number> => {
      const response = await fetch(`${url}${path}`, { method: "POST", headers: { connection: "close" } });
      await response.text();
      return response.status;
    };
    assert.equal(await ask("/"), 200);
    // What the replica answers is its own affair.
    assert.equal(await ask("/wrong"), 500);
    assert.deepEqual({ ...counts(), latency: 0, counter: 0 }, { ...empty, requests: 2 });
    assert.equal(await ask("/reset"), 502);
    await assert.rejects(ask("/half"));
    const endless = new RawClient(t, port).send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    await endless.until(/begun/);
    await route(second.target);
    assert.equal(await ask("/"), 200);
    await gateway.drain("web-1", 0, never);
    await endless.ended();
    assert.deepEqual({ ...counts(), latency: 0, counter: 0 }, { ...empty, requests: 6, failed: 3 });
    assert.equal(
      counts()?.latency.reduce((sum, count) => sum + count, 0),
      5,
      "heads of answers",
    );
    assert.equal(gateway.traffic("shop-other"), undefined);
  },
);

test("a request that no replica takes is failed, one that another replica answers is not", deadline, async (t) => {
  const gone = await httpReplica(t, "web-1", (_incoming, response) => response.end());
  await new Promise((resolve) => gone.server.close(resolve));
  const { gateway, url, route } = await testGateway(t, "http", gone.target);
  assert.equal((await fetch(url)).status, 502);
  const replica = await httpReplica(t, "web-2", (_incoming, response) => response.end("yes"));
  await route(gone.target, replica.target);
  for (let each = 0; each < 4; each += 1) assert.equal((await fetch(url)).status, 200);
  assert.deepEqual({ ...gateway.traffic("shop-web"), latency: 0, counter: 0 }, { ...empty, requests: 5, failed: 1 });
});

test("a WebSocket is one request, and closed at the end of a drain", deadline, async (t) => {
  const first = await httpReplica(t, "web-1", (_incoming, response) => response.end());
  first.server.on("upgrade", echoWebSocket);
  const { gateway, url, route } = await testGateway(t, "auto", first.target);
  const socket = new WebSocket(url.replace("http", "ws"));
  await once(socket, "open");
  const closed = once(socket, "close");
  await route((await httpReplica(t, "web-2", (_incoming, response) => response.end())).target);
  await gateway.drain("web-1", 0, never);
  await closed;
  assert.deepEqual(
    { ...gateway.traffic("shop-web"), latency: 0, counter: 0 },
    { ...empty, requests: 1, closedAtDrain: 1 },
  );
});

test("what was met between two readings", () => {
  const before = { counter: "a", requests: 10, failed: 1, closedAtDrain: 2, latency: [8, 1] };
  const after = { counter: "a", requests: 30, failed: 4, closedAtDrain: 2, latency: [10, 1, 0, 16] };
  assert.deepEqual(trafficBetween(before, after, 500), {
    requests: 20,
    failed: 3,
    closedAtDrain: 0,
    p99Ms: 0.017,
    elapsedMs: 500,
  });
  assert.deepEqual(trafficBetween(after, after, 5), { ...zero, p99Ms: null, elapsedMs: 5 });
  // Another gateway: what it counted is all that is known.
  const { counter: _, latency: __, ...counted } = after;
  assert.deepEqual(trafficBetween(before, { ...after, counter: "b" }, 5), { ...counted, p99Ms: 0.017, elapsedMs: 5 });
});

const zero = { requests: 0, failed: 0, closedAtDrain: 0 };
const empty = { ...zero, latency: 0, counter: 0 };
