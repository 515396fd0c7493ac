import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { connectEngine } from "./client.ts";
import { reachFromHere, requireAddress } from "./reach.ts";

const host = "127.0.0.1";
const never = new AbortController().signal;

test("a port that is open, one that is closed, and a signal before and during the attempt", async () => {
  const server = createServer((socket) => void socket.end("hello")).listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal(await text(await reachFromHere({ host, port }, never)), "hello");
  await assert.rejects(
    reachFromHere({ host, port }, AbortSignal.abort()),
    (error: Error) => error.name === "AbortError",
  );
  const given = new AbortController();
  const attempt = reachFromHere({ host, port }, given.signal);
  given.abort();
  await assert.rejects(attempt, (error: Error) => error.name === "AbortError");
  server.close();
  await once(server, "close");
  await assert.rejects(reachFromHere({ host, port }, never), { code: "ECONNREFUSED" });
});

test("only addresses, and only where there is a way to them", async () => {
  requireAddress({ host: "fd00::2", port: 80 });
  for (const wrong of ["shop", "", "-oProxyCommand=x", "fe80::1%eth0", "1.2.3.4 "])
    assert.throws(() => requireAddress({ host: wrong, port: 80 }), isCtrlPlaneError, wrong);
  assert.throws(() => requireAddress({ host, port: 0 }), isCtrlPlaneError);
  assert.equal(connectEngine({ kind: "tcp", host, port: 2375 }).reach, undefined);
  assert.equal(connectEngine({ kind: "socket", path: "/x" }).reach !== undefined, process.platform === "linux");
  const remote = connectEngine({ kind: "ssh", host: "shop.example", sudo: false });
  await assert.rejects(
    async () => remote.reach?.({ host: "shop", port: 80 }, never),
    (error) => isCtrlPlaneError(error) && error.code === "INVALID",
  );
});
