import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { RawClient } from "./raw-client.test.support.ts";
import { freePort, httpReplica, targetAt, tcpReplica, testGateway } from "./replica.test.support.ts";

const deadline = { timeout: 120_000 };

test("a replica gets method, target, headers and body as the client sent them, and for whom", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", (incoming, response) => {
    let body = "";
    incoming.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    incoming.on("end", () =>
      response.end(JSON.stringify({ line: `${incoming.method} ${incoming.url}`, raw: incoming.rawHeaders, body })),
    );
  });
  const { port } = await testGateway(t, "auto", replica.target);
  const client = new RawClient(t, port);
  client.send(
    "PUT /a%2Fb?q=%20&q HTTP/1.1\r\nHost: Shop.example\r\nX-b: 1\r\nX-A: 2\r\nx-b: \xe4\r\nCookie: a\r\nCookie: b\r\nX-Hop: no\r\n",
  );
  client.send(
    "Connection: close, X-Hop\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: https\r\nContent-Length: 4\r\n\r\nbody",
  );
  const answer = await client.ended();
  const json = Buffer.from(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1), "latin1").toString();
  const seen: unknown = JSON.parse(json);
  assert.deepEqual(seen, {
    line: "PUT /a%2Fb?q=%20&q",
    raw: [
      "Host",
      "Shop.example",
      "X-b",
      "1",
      "X-A",
      "2",
      "x-b",
      "\xe4",
      "Cookie",
      "a",
      "Cookie",
      "b",
      "X-Forwarded-Proto",
      "https",
    ].concat(["Content-Length", "4", "X-Forwarded-For", "10.1.2.3, 127.0.0.1", "X-Forwarded-Host", "Shop.example"]),
    body: "body",
  });
});

test(
  "a client gets status, reason, headers with case, order and duplicates, body and trailers",
  deadline,
  async (t) => {
    const replica = await tcpReplica(t, "web-1", (socket) =>
      socket.once("data", () =>
        socket.write(
          "HTTP/1.1 299 Fine By Me\r\nset-cookie: a\r\nX-One: 1\r\nSet-Cookie: b\r\nDate: then\r\nKeep-Alive: timeout=9\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n",
        ),
      ),
    );
    const { port } = await testGateway(t, "http", replica.target);
    const client = new RawClient(t, port);
    const answer = await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").until(/X-Sum: 9\r\n\r\n$/);
    const head =
      "HTTP/1.1 299 Fine By Me\r\nset-cookie: a\r\nX-One: 1\r\nSet-Cookie: b\r\nDate: then\r\nTrailer: X-Sum\r\n";
    assert.equal(answer.slice(0, head.length), head);
    assert.match(answer, /\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n$/);
    assert.doesNotMatch(answer, /timeout=9/);
  },
);

test("answers without a body (HEAD, 204, 304) leave the connection usable for the next", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", (incoming, response) => {
    if (incoming.url === "/none") response.writeHead(204).end();
    else if (incoming.url === "/same") response.writeHead(304, { etag: "x" }).end();
    else response.writeHead(200, { "content-length": 4 }).end(incoming.method === "HEAD" ? undefined : "body");
  });
  const { port } = await testGateway(t, "auto", replica.target);
  const client = new RawClient(t, port);
  for (const line of ["HEAD /", "GET /none", "GET /same", "GET /"]) client.send(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const answer = await client.until(/body$/);
  assert.deepEqual(answer.match(/HTTP\/1.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 204", "HTTP/1.1 304", "HTTP/1.1 200"]);
  assert.equal(answer.match(/body/g)?.length, 1);
});

test("100 Continue comes from the replica, early hints pass", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", () => undefined);
  replica.server.on("checkContinue", (incoming: IncomingMessage, response) => {
    response.writeEarlyHints({ link: "</a.css>; rel=preload" });
    response.writeContinue();
    let size = 0;
    incoming.on("data", (chunk: Buffer) => (size += chunk.length));
    incoming.on("end", () => response.end(`got ${size}`));
  });
  const { port } = await testGateway(t, "auto", replica.target);
  const client = new RawClient(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  await client.until(/103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\n[^]*100 Continue\r\n\r\n/);
  client.send("hello");
  await client.until(/HTTP\/1.1 200 OK[^]*got 5/);
});

test("a replica that refuses by status before it read the body is heard", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", () => undefined);
  replica.server.on("checkContinue", (_incoming, response) =>
    response.writeHead(413, { connection: "close" }).end("too much"),
  );
  const { port } = await testGateway(t, "auto", replica.target);
  const answer = await new RawClient(t, port)
    .send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    .ended();
  assert.match(answer, /^HTTP\/1.1 413 [^]*too much\r\n0\r\n\r\n$/);
});

test("20 MB go through both ways, chunked and counted", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", (incoming, response) => incoming.pipe(response));
  const { url } = await testGateway(t, "auto", replica.target);
  for (const headers of [{ "content-length": 20_000_000 }, { "transfer-encoding": "chunked" }]) {
    const outgoing = request(url, { agent: false, method: "POST", headers });
    outgoing.end(Buffer.alloc(20_000_000, "x"));
    // Node types the events of a request as `any`.
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) size += chunk.length;
    assert.equal(size, 20_000_000);
  }
});

test("a client that does not read holds the replica back", deadline, async (t) => {
  let written = 0;
  let isHeldBack: (() => void) | undefined;
  const heldBack = new Promise<void>((resolve) => (isHeldBack = resolve));
  const replica = await httpReplica(t, "web-1", (_incoming, response) => {
    const more = (): void => {
      let takesMore = true;
      while (takesMore && written < 200_000_000) {
        takesMore = response.write(Buffer.alloc(100_000));
        written += 100_000;
      }
      const seen = written;
      setTimeout(() => seen === written && isHeldBack?.(), 300);
    };
    response.on("drain", more);
    more();
  });
  const { port } = await testGateway(t, "http", replica.target);
  const client = new RawClient(t, port);
  client.socket.pause();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await heldBack;
  assert.ok(written < 50_000_000, `${written} bytes were taken for a client that reads none`);
});

test("what could be understood in two ways is refused, and no replica sees it", deadline, async (t) => {
  let seen = 0;
  const replica = await httpReplica(t, "web-1", (_incoming, response) => {
    seen += 1;
    response.end();
  });
  const { port } = await testGateway(t, "http", replica.target);
  const refused = {
    "Content-Length: 3\r\nTransfer-Encoding: chunked": /^HTTP\/1.1 400 /,
    "Transfer-Encoding: chunked\r\nContent-Length: 3": /^HTTP\/1.1 400 /,
    "Content-Length: 3\r\nContent-Length: 4": /^HTTP\/1.1 400 /,
    "Content-Length: +3": /^HTTP\/1.1 400 /,
    "Transfer-Encoding: chunked, identity": /^HTTP\/1.1 400 /,
    "Transfer-Encoding: gzip, chunked": /^HTTP\/1.1 501 /,
    "X : 1": /^HTTP\/1.1 400 /,
    "X: 1\n\tfolded": /^HTTP\/1.1 400 /,
    "Host: b": /^HTTP\/1.1 400 /,
  };
  for (const [headers, expected] of Object.entries(refused)) {
    const client = new RawClient(t, port).send(`POST / HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n0\r\n\r\n`);
    assert.match(await client.ended(), expected, headers);
  }
  assert.match(await new RawClient(t, port).send("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n").ended(), /^HTTP\/1.1 405 /);
  assert.equal(seen, 0);
});

test("a request that reached nobody goes to another replica, whatever its method", deadline, async (t) => {
  const dead = targetAt("web-1", await freePort());
  const replica = await httpReplica(t, "web-2", (incoming, response) => incoming.pipe(response));
  const { url, gateway } = await testGateway(t, "auto", dead, replica.target);
  for (let round = 0; round < 4; round += 1) {
    const response = await fetch(url, { method: "POST", body: "hello" });
    assert.equal(await response.text(), "hello");
  }
  assert.equal(gateway.stats().replicas.find((each) => each.replicaId === "web-1")?.failures, 2);
});

test("a request that may have been carried out is repeated only where that does no harm", deadline, async (t) => {
  let broken = 0;
  const breaking = await httpReplica(t, "web-1", (incoming, response) => {
    broken += 1;
    incoming.resume();
    response.socket?.resetAndDestroy();
  });
  const replica = await httpReplica(t, "web-2", (_incoming, response) => response.end("fine"));
  const { url, route } = await testGateway(t, "auto", breaking.target, replica.target);
  assert.equal(await (await fetch(url)).text(), "fine");
  assert.equal(broken, 1);
  await route(breaking.target, replica.target);
  assert.equal(await (await fetch(url, { method: "PUT", body: "x" })).text(), "fine");
  assert.equal(broken, 2);
  await route(breaking.target, replica.target);
  const response = await fetch(url, { method: "POST", body: "x" });
  assert.equal(response.status, 502);
  assert.match(await response.text(), /web-1 ended the connection without an answer \(ECONNRESET\)/);
  assert.equal(broken, 3);
});

test("an answer that breaks off breaks off for the client too", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", (_incoming, response) => {
    response.writeHead(200, { "content-length": 100 }).write("part");
    setTimeout(() => response.socket?.destroy(), 20);
  });
  const { url } = await testGateway(t, "auto", replica.target);
  await assert.rejects(async () => (await fetch(url)).text());
});

test(
  "a POST survives a replica that closes an idle connection, unannounced, just when it comes",
  deadline,
  async (t) => {
    let resets = 0;
    const replica = await tcpReplica(t, "web-1", (socket) => {
      let answeredAt: number | undefined;
      socket.on("data", (bytes) => {
        if (answeredAt !== undefined && performance.now() - answeredAt > 200) {
          resets += 1;
          socket.resetAndDestroy();
          return;
        }
        const text = bytes.toString("latin1");
        // A POST comes in two pieces; its body is `x`.
        if (text.startsWith("POST") && !text.endsWith("x")) return;
        answeredAt = performance.now();
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
      });
    });
    const { url } = await testGateway(t, "http", replica.target);
    for (let round = 0; round < 3; round += 1) {
      const response = await fetch(url, { method: "POST", body: "x" });
      assert.equal(response.status, 200);
      await response.text();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert.equal(resets, 0);
    // What may be sent twice takes the kept connection, and is sent again.
    assert.equal((await fetch(url)).status, 200);
    assert.equal(resets, 1);
  },
);

test("without a ready replica a request waits for one, and is told after a second", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("fine"));
  const { url, route } = await testGateway(t, "auto");
  const waiting = fetch(url, { method: "POST", body: "x" });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await route(replica.target);
  assert.equal(await (await waiting).text(), "fine");
  await route();
  const startedAt = performance.now();
  const response = await fetch(url);
  assert.equal(response.status, 503);
  assert.equal(await response.text(), "shop-web has no ready replica\n");
  const elapsed = performance.now() - startedAt;
  assert.ok(elapsed > 900 && elapsed < 3000, `after ${elapsed} ms`);
});

test("weights are kept exactly", deadline, async (t) => {
  const counts = { a: 0, b: 0 };
  const a = await httpReplica(t, "web-a", (_incoming, response) => {
    counts.a += 1;
    response.end();
  });
  const b = await httpReplica(t, "web-b", (_incoming, response) => {
    counts.b += 1;
    response.end();
  });
  const { url, gateway } = await testGateway(t, "http", { ...a.target, weight: 5 }, { ...b.target, weight: 95 });
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  for (let index = 0; index < 200; index += 1) {
    const outgoing = request(url, { agent }).end();
    // Node types the events of a request as `any`.
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
  }
  assert.deepEqual(counts, { a: 10, b: 190 });
  assert.deepEqual(
    gateway.stats().replicas.map((each) => each.requests),
    [10, 190],
  );
});
