import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort, isPortFree, portRanges } from "./ports.ts";

test("ports of outgoing connections and of instances' addresses come last, or never", () => {
  const ranges = portRanges({ from: 32768, to: 61000 });
  assert.deepEqual(ranges.slice(0, 3), [
    { from: 61000, to: 65536 },
    { from: 30000, to: 32768 },
    { from: 10000, to: 20000 },
  ]);
  assert.equal(
    ranges.some(({ from, to }) => from < 30000 && to > 20000),
    false,
  );
});

test("everything may be taken for outgoing connections: ports are found all the same", () => {
  assert.deepEqual(portRanges({ from: 1024, to: 65536 })[0], { from: 61000, to: 65536 });
});

test("a port is free only if nothing listens on it, at any address, and it is not promised already", async (t) => {
  for (const host of ["127.0.0.1", "0.0.0.0", "127.3.2.1"]) {
    const server = createServer().listen(0, host);
    t.after(() => server.close());
    await once(server, "listening");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    assert.equal(await isPortFree(address.port), false, host);
    await assert.rejects(freePort(new Set(), [{ from: address.port, to: address.port + 1 }]), { code: "QUOTA" });
  }
  const port = await freePort(new Set());
  await assert.rejects(freePort(new Set([port]), [{ from: port, to: port + 1 }]), { code: "QUOTA" });
});
