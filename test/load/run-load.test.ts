import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { quantile } from "./load-report.ts";
import { runLoad } from "./run-load.ts";

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // Listening on a port: the address is no path.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test("counts exactly the requests whose connection the server resets, and every other failure by its reason", async (t) => {
  let index = 0;
  const url = await serve(t, (_request, response) => {
    index += 1;
    if (index % 10 === 0) response.socket?.resetAndDestroy();
    else if (index % 10 === 5) response.writeHead(503).end("no");
    else if (index % 25 === 1) {
      response.writeHead(200, { "content-length": 10 }).write("half ");
      response.socket?.end();
    } else response.end("yes");
  });
  const report = await runLoad({ url, ratePerSecond: 500, durationMs: 400, connections: 5 });
  assert.equal(report.sent, 200);
  assert.deepEqual(report.failures, { ECONNRESET: 20, "status 503": 20, "answer cut off": 8 });
  assert.equal(report.ok, 152);
  assert.equal(report.ok + report.failed, report.sent);
  assert.ok(report.connectionsOpened > 5);
});

test("a server without a fault: nothing failed, each connection opened once and used in turn", async (t) => {
  const ports = new Map<number | undefined, number>();
  const url = await serve(t, (request, response) => {
    ports.set(request.socket.remotePort, (ports.get(request.socket.remotePort) ?? 0) + 1);
    response.end("yes");
  });
  const report = await runLoad({ url, ratePerSecond: 400, durationMs: 500, connections: 8 });
  assert.equal(report.sent, 200);
  assert.equal(report.ok, 200);
  assert.equal(report.connectionsOpened, 8);
  assert.equal(ports.size, 8);
});

test("keeps its rate while the server stalls, and counts the wait from the time at which a request was due", async (t) => {
  let stall: Promise<void> | undefined;
  let requests = 0;
  const url = await serve(t, (_request, response) => {
    requests += 1;
    if (requests === 10) stall = new Promise((resolve) => setTimeout(resolve, 900));
    void Promise.resolve(stall).then(() => response.end("yes"));
  });
  const report = await runLoad({ url, ratePerSecond: 100, durationMs: 1000, connections: 2 });
  assert.equal(report.sent, 100);
  assert.equal(report.ok, 100);
  // 60 requests at least fell due in the first 600 ms of the stall, two of them were on their way: a client that waits for answers would
  // have seen two slow ones.
  assert.ok((report.p50Ms ?? 0) > 250, `p50 ${report.p50Ms}`);
});

test("a request without an answer ends at the time limit", async (t) => {
  const url = await serve(t, () => undefined);
  const report = await runLoad({ url, ratePerSecond: 50, durationMs: 100, connections: 5, timeoutMs: 150 });
  assert.deepEqual(report.failures, { timeout: 5 });
});

test("ends at its signal, and judges answers by what they should say", async (t) => {
  const url = await serve(t, (_request, response) => void response.end("v1"));
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  const report = await runLoad({
    url,
    ratePerSecond: 100,
    signal: stop.signal,
    judge: ({ body }) => (body === "v2" ? undefined : `body ${body}`),
  });
  assert.ok(report.sent > 0);
  assert.deepEqual(report.failures, { "body v1": report.sent });
});

test("refuses an address that is not this machine", async () => {
  await assert.rejects(runLoad({ url: "http://example.com/", ratePerSecond: 1, durationMs: 1 }), /this machine only/);
});

test("quantile is the smallest value that the share does not exceed", () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.equal(quantile(sorted, 0.5), 50);
  assert.equal(quantile(sorted, 0.99), 99);
  assert.equal(quantile(sorted, 1), 100);
  assert.equal(quantile([], 0.5), null);
});
