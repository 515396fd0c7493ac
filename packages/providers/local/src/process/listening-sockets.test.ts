import { strict as assert } from "node:assert";
import { once } from "node:events";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ownerOf, readListening } from "./listening-sockets.ts";

for (const [host, address] of [
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "*"],
  ["::", "*"],
  ["::1", "::1"],
] as const) {
  test(`finds who listens on ${host}`, async (t) => {
    const server = createServer();
    t.after(() => server.close());
    server.listen(0, host);
    await once(server, "listening");
    // A TCP server on an address has one.
    const { port } = server.address() as AddressInfo;
    const found = readListening().find((each) => each.port === port && each.transport === "tcp");
    assert.ok(found);
    assert.equal(found.address, address);
    const owner = ownerOf(found);
    assert.equal(owner?.pid, process.pid);
    assert.match(owner.argv[0] ?? "", /node/);
  });
}

test("finds who takes datagrams", async (t) => {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const found = readListening().find((each) => each.port === socket.address().port && each.transport === "udp");
  assert.ok(found);
  assert.equal(ownerOf(found)?.pid, process.pid);
});

test("a socket that is gone is nobody's", () => {
  assert.equal(ownerOf({ inode: "0" }), undefined);
});
