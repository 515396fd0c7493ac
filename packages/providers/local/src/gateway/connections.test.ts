import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { withHolder } from "./port-error.ts";
import { echoWebSocket } from "./echo-web-socket.test.support.ts";
import { RawClient } from "./raw-client.test.support.ts";
import {
  entranceAt,
  freePort,
  httpReplica,
  portOf,
  tableOf,
  targetAt,
  tcpReplica,
  testGateway,
} from "./replica.test.support.ts";

/** Against a wait without end; a busy machine needs a part of it. */
const deadline = { timeout: 120_000 };
const never = new AbortController().signal;

test(
  "100 kept-alive clients through 20 changes of routes, each replica drained: nothing fails, no client's connection closes",
  deadline,
  async (t) => {
    const { gateway, url, route } = await testGateway(t, "auto");
    const start = async (generation: number): ReturnType<typeof httpReplica> =>
      httpReplica(
        t,
        `web-${generation}`,
        (_incoming, response) => void setTimeout(() => response.end(String(generation)), 5),
      );
    let current = await start(0);
    await route(current.target);
    const over = new AbortController();
    t.after(() => over.abort());
    // A test that is over, for want of time too, must not go on opening servers that nobody closes.
    t.signal.addEventListener("abort", () => over.abort());
    let opened = 0;
    const answers = new Set<string>();
    const clients = Array.from({ length: 100 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      for (let round = 0; !over.signal.aborted; round += 1) {
        const outgoing =
          round % 2 === 0 ? request(url, { agent }).end() : request(url, { agent, method: "POST" }).end("x");
        // Node types the events of a request as `any`.
        const [response] = (await once(outgoing, "response")) as [IncomingMessage];
        assert.equal(response.statusCode, 200);
        if (!outgoing.reusedSocket) opened += 1;
        let body = "";
        for await (const chunk of response as AsyncIterable<Buffer>) body += chunk.toString();
        answers.add(body);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const answered = async (generation: number): Promise<void> => {
      while (!answers.has(String(generation)) && !over.signal.aborted)
        await new Promise((resolve) => setImmediate(resolve));
    };
    await answered(0);
    for (let generation = 1; generation <= 20 && !over.signal.aborted; generation += 1) {
      const next = await start(generation);
      await route(next.target);
      assert.deepEqual(await gateway.drain(current.target.replicaId, 5000, never), { cut: 0 });
      // Drained: the gateway has closed its side of everything, so that the replica can end.
      while (current.sockets.size > 0 && !over.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
      current = next;
      await answered(generation);
    }
    over.abort();
    await Promise.all(clients);
    assert.equal(opened, 100);
    assert.equal(answers.size, 21);
  },
);

test("a drain waits for a streaming answer, and cuts it at its time limit", deadline, async (t) => {
  const first = await httpReplica(t, "web-1", (incoming, response) => {
    response.write("begun ");
    if (incoming.url === "/short") setTimeout(() => response.end("done"), 300);
  });
  const second = await httpReplica(t, "web-2", (_incoming, response) => response.end());
  const { gateway, port, route } = await testGateway(t, "auto", first.target);
  const short = new RawClient(t, port).send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
  await short.until(/begun/);
  await route(second.target);
  assert.deepEqual(await gateway.drain("web-1", 5000, never), { cut: 0 });
  assert.match(await short.until(/0\r\n\r\n$/), /done/);
  await route(first.target);
  const endless = new RawClient(t, port).send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  await endless.until(/begun/);
  await route(second.target);
  const startedAt = performance.now();
  assert.deepEqual(await gateway.drain("web-1", 300, never), { cut: 1 });
  assert.ok(performance.now() - startedAt >= 299);
  assert.doesNotMatch(await endless.ended(), /0\r\n\r\n$/);
});

test("a replica that is routed cannot be drained; one that is unknown is drained already", deadline, async (t) => {
  const { gateway } = await testGateway(t, "auto", targetAt("web-1", 9));
  await assert.rejects(
    gateway.drain("web-1", 0, never),
    (error) => isCtrlPlaneError(error) && error.code === "CONFLICT",
  );
  assert.deepEqual(await gateway.drain("web-9", 5000, never), { cut: 0 });
});

test("a WebSocket talks through a change of routes until its replica's drain ends", deadline, async (t) => {
  const first = await httpReplica(t, "web-1", (_incoming, response) => response.end());
  first.server.on("upgrade", echoWebSocket);
  const second = await httpReplica(t, "web-2", (_incoming, response) => response.end());
  const { gateway, url, route } = await testGateway(t, "auto", first.target);
  const socket = new WebSocket(url.replace("http", "ws"));
  await once(socket, "open");
  const echo = async (text: string): Promise<unknown> => {
    socket.send(text);
    // Node types events of event targets as `any`.
    const [event] = (await once(socket, "message")) as [MessageEvent];
    return event.data;
  };
  assert.equal(await echo("one"), "one");
  await route(second.target);
  assert.equal(await echo("two"), "two");
  const closed = once(socket, "close");
  const drain = gateway.drain("web-1", 200, never);
  assert.equal(await echo("three"), "three");
  assert.deepEqual(await drain, { cut: 1 });
  await closed;
});

test("a refused upgrade is answered as the replica said, an offer of HTTP/2 is ignored", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", (incoming, response) =>
    response.writeHead(426, { "x-upgrade": incoming.headers.upgrade ?? "none" }).end("not here"),
  );
  const { port } = await testGateway(t, "auto", replica.target);
  const plain = new RawClient(t, port).send(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  assert.match(await plain.ended(), /^HTTP\/1.1 426 Upgrade Required\r\nx-upgrade: websocket\r\n[^]*not here/);
  const offer = new RawClient(t, port).send(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
  );
  assert.match(await offer.until(/not here/), /x-upgrade: none/);
});

test(
  "a client that is slow to speak to a service that speaks HTTP is no TCP, and holds up no drain",
  deadline,
  async (t) => {
    const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("one"));
    const next = await httpReplica(t, "web-2", (_incoming, response) => response.end("two"));
    const { gateway, url, port, route } = await testGateway(t, "auto", replica.target);
    await (await fetch(url, { headers: { connection: "close" } })).text();
    const silent = new RawClient(t, port);
    await once(silent.socket, "connect");
    // Longer than the gateway waits for first bytes.
    await new Promise((resolve) => setTimeout(resolve, 400));
    await route(next.target);
    assert.deepEqual(await gateway.drain("web-1", 100_000, never), { cut: 0 });
    assert.match(await silent.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").until(/two/), /^HTTP\/1\.1 200 /);
  },
);

test("TCP passes with half-close, and a server that speaks first is heard", deadline, async (t) => {
  const replica = await tcpReplica(t, "db-1", (socket) => {
    socket.write("hello client\n");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => socket.end(`you said ${text}`));
  });
  const { port, gateway, route } = await testGateway(t, "auto", replica.target);
  const client = new RawClient(t, port);
  await client.until(/hello client\n/);
  client.socket.end("\x00\x01 bytes");
  assert.equal(await client.ended(), "hello client\nyou said \x00\x01 bytes");
  const open = new RawClient(t, port).send("\x16\x03\x01");
  await open.until(/hello client/);
  await route();
  assert.deepEqual(await gateway.drain("db-1", 50, never), { cut: 1 });
  await open.ended();
});

test(
  "a TCP connection that no replica accepts tries the next, and is reset within moments of a second",
  deadline,
  async (t) => {
    const replica = await tcpReplica(t, "db-2", (socket) => socket.end("two"));
    const { port, route } = await testGateway(t, "tcp", targetAt("db-1", await freePort()), replica.target);
    assert.equal(await new RawClient(t, port).ended(), "two");
    assert.equal(await new RawClient(t, port).ended(), "two");
    await route();
    const client = connect({ port, host: "127.0.0.1" });
    const [error] = (await once(client, "error")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "ECONNRESET");
  },
);

test("UDP: each client has its own way to a replica and back", deadline, async (t) => {
  const server = createSocket("udp4");
  server.on("message", (message, from) =>
    server.send(`${message.toString()} from ${from.port}`, from.port, from.address),
  );
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { gateway, port } = await testGateway(t, "udp", targetAt("dns-1", server.address().port));
  const ask = async (text: string): Promise<string> => {
    const client = createSocket("udp4");
    client.send(text, port, "127.0.0.1");
    const [answer] = (await once(client, "message")) as [Buffer];
    client.close();
    return answer.toString();
  };
  const [one, two] = await Promise.all([ask("one"), ask("two")]);
  assert.match(one ?? "", /^one from \d+$/);
  assert.match(two ?? "", /^two from \d+$/);
  assert.notEqual(one?.split(" ")[2], two?.split(" ")[2]);
  assert.equal(gateway.stats().entrances[0]?.openConnections, 2);
});

test("a table with a port that is taken changes nothing, and its holder is named", deadline, async (t) => {
  const taken = await httpReplica(t, "other", (_incoming, response) => response.end());
  const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("one"));
  const { gateway, url, port } = await testGateway(t, "auto", replica.target);
  const free = await freePort();
  const entrances = [
    entranceAt(port, "auto", []),
    entranceAt(free, "auto", []),
    entranceAt(portOf(taken.server), "auto", []),
  ];
  const table = tableOf(gateway.version + 1, ...entrances);
  await assert.rejects(gateway.apply(table), (error) => {
    const told = withHolder(error, table);
    assert.ok(isCtrlPlaneError(told));
    assert.equal(told.code, "FAILED");
    assert.equal(told.failure?.verdict, "PORT_IN_USE");
    assert.match(
      told.message,
      new RegExp(`^port 127.0.0.1:${portOf(taken.server)} is in use by pid ${process.pid} \\(.*node`),
    );
    return true;
  });
  assert.equal(await (await fetch(url)).text(), "one");
  await assert.rejects(fetch(`http://127.0.0.1:${free}`));
});

test("a port moves to another address of the machine, and back when that fails", deadline, async (t) => {
  const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("one"));
  const { gateway, url, port } = await testGateway(t, "auto", replica.target);
  await gateway.apply(tableOf(gateway.version + 1, { ...entranceAt(port, "auto", [replica.target]), address: "*" }));
  assert.equal(await (await fetch(`http://127.1.2.3:${port}`)).text(), "one");
  const impossible = { ...entranceAt(port, "auto", [replica.target]), address: "192.0.2.1" };
  await assert.rejects(
    gateway.apply(tableOf(gateway.version + 1, impossible)),
    /192.0.2.1 is no address of this machine/,
  );
  assert.equal(await (await fetch(url)).text(), "one");
});

test("tables that contradict themselves or are older are refused", deadline, async (t) => {
  const { gateway, port } = await testGateway(t, "auto");
  await assert.rejects(gateway.apply(tableOf(0)), (error) => isCtrlPlaneError(error) && error.code === "CONFLICT");
  const twice = [entranceAt(port, "auto", []), { ...entranceAt(port, "tcp", []), id: "db" }];
  await assert.rejects(gateway.apply(tableOf(9, ...twice)), /entrances web:\d+ and db both want 127.0.0.1:\d+/);
  await assert.rejects(gateway.apply(tableOf(9, entranceAt(0, "auto", []))), /0 is no port/);
});

test("the start of a gateway serves every port that can be opened", deadline, async (t) => {
  const taken = await httpReplica(t, "other", (_incoming, response) => response.end());
  const replica = await httpReplica(t, "web-1", (_incoming, response) => response.end("one"));
  const { gateway, url, port } = await testGateway(t, "auto");
  const table = tableOf(7, entranceAt(portOf(taken.server), "auto", []), entranceAt(port, "auto", [replica.target]));
  assert.match(String(await gateway.applyWhatOpens(table)), /is in use/);
  assert.equal(await (await fetch(url)).text(), "one");
});

test("host and longest path choose the service", deadline, async (t) => {
  const { gateway, port } = await testGateway(t, "http");
  const backend = async (name: string): Promise<{ instance: string; targets: ReturnType<typeof targetAt>[] }> => {
    const replica = await httpReplica(t, name, (_incoming, response) => response.end(name));
    return { instance: name, targets: [replica.target] };
  };
  const domains = [
    { host: "shop.example.com", path: "/", backend: await backend("shop") },
    { host: "shop.example.com", path: "/api", backend: await backend("api") },
    { host: "shop.example.com", path: "/api/v2/", backend: await backend("v2") },
    { host: "*.example.com", path: "/", backend: await backend("any") },
  ];
  await gateway.apply(
    tableOf(gateway.version + 1, { id: "http", address: "127.0.0.1", port, protocol: "http", domains }),
  );
  const expected: Record<string, string> = {
    "GET / shop.example.com": "shop",
    "GET /apix SHOP.example.com:80": "shop",
    "GET /api shop.example.com.": "api",
    "GET /api?x=/api/v2 shop.example.com": "api",
    "GET /api/v2/x shop.example.com": "v2",
    "GET http://shop.example.com/api/v1 other": "api",
    "GET / a.example.com": "any",
    "GET / a.b.example.com": "no service answers for a.b.example.com",
    "GET / example.com": "no service answers for example.com",
  };
  for (const [line, answer] of Object.entries(expected)) {
    const [method, target, host] = line.split(" ");
    const client = new RawClient(t, port).send(
      `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.ok((await client.ended()).includes(`\r\n${answer}`), `${line}: ${client.received}`);
  }
});
