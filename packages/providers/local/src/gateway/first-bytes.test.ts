import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { awaitFirstBytes } from "./first-bytes.ts";

for (const [what, first, expected] of [
  ["a request that came while the gateway was busy is HTTP", "GET / HTTP/1.1\r\n\r\n", "http"],
  ["a client that says nothing is TCP", undefined, "tcp"],
] as const) {
  test(what, { timeout: 20_000 }, async (t) => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // A server on a port has no path for an address.
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    t.after(() => {
      client.destroy();
      server.close();
    });
    const [socket] = (await once(server, "connection")) as [typeof client];
    t.after(() => socket.destroy());
    const decided = new Promise((resolve) => awaitFirstBytes(socket, resolve));
    if (first !== undefined) client.write(first);
    // Busy for longer than the silence that makes it TCP.
    for (const until = performance.now() + 1_500; performance.now() < until;);
    assert.equal(await decided, expected);
  });
}
