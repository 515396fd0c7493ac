import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { probeHttp, probePort, type Reach } from "./probe.ts";

const host = "127.0.0.1";
const limits = { timeoutMs: 5000, signal: new AbortController().signal };

const reach: Reach = async (address) => {
  const socket = connect(address);
  await once(socket, "connect");
  return socket;
};
/** As of a host that drops what comes. */
const silent: Reach = (_address, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

test("what answers passes; what does not is told", async (t) => {
  const port = await serve(t);
  assert.equal(await probePort(reach, { host, port }, limits), undefined);
  assert.equal(await probeHttp(reach, { host, port }, "/200", limits), undefined);
  assert.equal(await probeHttp(reach, { host, port }, "/302", limits), undefined);
  assert.equal(await probeHttp(reach, { host, port }, "/503", limits), "GET /503 was answered with 503");
  const short = { ...limits, timeoutMs: 20 };
  assert.equal(await probeHttp(reach, { host, port }, "/never", short), "GET /never was not answered within 20 ms");
  assert.equal(await probePort(silent, { host, port }, short), `port ${port} does not answer`);
});

test("a port that is closed is told the same way whatever was to be asked", async (t) => {
  const port = await serve(t);
  const refusing: Reach = () => Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" }));
  assert.equal(await probePort(refusing, { host, port }, limits), `port ${port} is closed`);
  assert.equal(await probeHttp(refusing, { host, port }, "/", limits), `port ${port} is closed`);
});

test("that there is no way to containers is no answer of theirs; nor is a call that was given up", async () => {
  const forbidden: Reach = () => Promise.reject(new CtrlPlaneError("UNSUPPORTED", "forwarding is forbidden"));
  await assert.rejects(probePort(forbidden, { host, port: 80 }, limits), { code: "UNSUPPORTED" });
  const given = new AbortController();
  const waiting = probePort(silent, { host, port: 80 }, { ...limits, signal: given.signal });
  given.abort(new Error("given up"));
  await assert.rejects(waiting, /given up/);
});

/** Answers `/503` with that, and `/never` not at all. */
async function serve(t: TestContext): Promise<number> {
  const server = createServer(({ url = "" }, response) => {
    if (url !== "/never") response.writeHead(Number(url.slice(1))).end();
  }).listen(0, host);
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}
