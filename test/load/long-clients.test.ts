import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { echoWebSocket } from "../../packages/providers/local/src/gateway/echo-web-socket.test.support.ts";
import { readStream, sendSlowly, talkByWebSocket } from "./long-clients.ts";

async function serve(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // Listening on a port: the address is no path.
  return `//127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test("a slow body arrives in pieces over its time, and its answer is read", async (t) => {
  let pieces = 0;
  const server = createServer((request, response) => {
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      pieces += 1;
      size += chunk.length;
    });
    request.on("end", () => response.end(`got ${size}`));
  });
  const url = `http:${await serve(t, server)}`;
  const seen = await sendSlowly({ url, bytes: 1000, overMs: 500 });
  assert.equal(seen.outcome, "complete");
  assert.equal(seen.answer, "got 1000");
  assert.ok(pieces >= 3 && seen.elapsedMs >= 400, `${pieces} pieces in ${seen.elapsedMs} ms`);
});

test("a stream is complete, or it is told what cut it", async (t) => {
  const server = createServer((request, response) => {
    response.write("one ");
    setTimeout(() => (request.url === "/cut" ? response.socket?.destroy() : response.end("two")), 20);
  });
  const url = `http:${await serve(t, server)}`;
  let text = "";
  const whole = await readStream({ url, onChunk: (chunk) => (text += chunk) });
  assert.equal(whole.outcome, "complete");
  assert.equal(text, "one two");
  assert.notEqual((await readStream({ url: `${url}cut` })).outcome, "complete");
});

test("a WebSocket counts its echoes, and tells who ended it", async (t) => {
  const server = createServer();
  const enough = new AbortController();
  server.on("upgrade", (request, socket) => {
    echoWebSocket(request, socket);
    let chunks = 0;
    socket.on("data", () => {
      if ((chunks += 1) < 3) return;
      if (request.url === "/cut") socket.destroy();
      else enough.abort();
    });
    t.after(() => socket.destroy());
  });
  const url = `ws:${await serve(t, server)}`;
  const whole = await talkByWebSocket({ url, everyMs: 5, signal: enough.signal });
  assert.ok(whole.sent > 2);
  assert.deepEqual(whole, { ...whole, echoed: whole.sent, endedBy: "client" });
  const cut = await talkByWebSocket({ url: `${url}cut`, everyMs: 5, signal: new AbortController().signal });
  assert.equal(cut.endedBy, "server");
});
