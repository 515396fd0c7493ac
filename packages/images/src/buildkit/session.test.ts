import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { test, type TestContext } from "node:test";
import { connectEngine } from "../engine/client.ts";
import { bytesField, integerField, readFields, textOf } from "./protobuf.ts";
import { openBuildSession, type BuildSessionParts } from "./session.ts";

const nothing: BuildSessionParts = {
  folders: {},
  secrets: {},
  login: () => Promise.resolve(undefined),
  sharedKey: "k",
};

/** The builder's end of a session: an engine that takes the connection over. */
async function builderOf(t: TestContext, parts: Partial<BuildSessionParts>) {
  const folder = mkdtempSync(join(tmpdir(), "pctl-session-"));
  const path = join(folder, "docker.sock");
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ Version: "20.10.24", ApiVersion: "1.41", Os: "linux", Arch: "amd64" }));
  });
  const upgraded = once(server, "upgrade") as Promise<[IncomingMessage, Duplex]>;
  server.on("upgrade", (_request, socket: Duplex) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  });
  server.listen(path);
  await once(server, "listening");
  const engine = connectEngine({ kind: "socket", path });
  const session = await openBuildSession(engine, { ...nothing, ...parts });
  const [request, socket] = await upgraded;
  const builder = connect("http://localhost", { createConnection: () => socket });
  t.after(async () => {
    session.close();
    builder.destroy();
    await engine.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { session, builder, headers: request.headers };
}

/** One call with one or more messages; status and messages of the answer. */
async function call(builder: ClientHttp2Session, path: string, ...messages: readonly Buffer[]) {
  const stream = builder.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
  for (const each of messages) stream.write(framed(each));
  stream.end();
  const parts: Buffer[] = [];
  for await (const piece of stream) parts.push(piece as Buffer);
  const [end] = await trailers;
  return {
    status: Number(end["grpc-status"]),
    message: String(end["grpc-message"] ?? ""),
    answer: Buffer.concat(parts),
  };
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

test("a session says who it is, and that it serves", async (t) => {
  const { session, builder, headers } = await builderOf(t, { sharedKey: "sha256:1" });
  assert.equal(headers.upgrade, "h2c");
  assert.equal(headers["x-docker-expose-session-uuid"], session.id);
  assert.equal(headers["x-docker-expose-session-sharedkey"], "sha256:1");
  const health = await call(builder, "/grpc.health.v1.Health/Check", Buffer.alloc(0));
  assert.deepEqual([health.status, readFields(health.answer.subarray(5))[0]?.integer], [0, 1]);
  assert.equal((await call(builder, "/moby.sshforward.v1.SSH/CheckAgent")).status, 12);
  assert.equal((await call(builder, "/constructor")).status, 12);
});

test("a secret comes as it is, one that was not given does not", async (t) => {
  const value = `"é"\n\0`.repeat(50_000);
  const { builder } = await builderOf(t, { secrets: { TOKEN: value } });
  const get = (name: string) => call(builder, "/moby.buildkit.secrets.v1.Secrets/GetSecret", bytesField(1, name));
  const { status, answer } = await get("TOKEN");
  assert.equal(status, 0);
  assert.equal(textOf(readFields(answer.subarray(5)), 1), value);
  for (const each of ["OTHER", "constructor"]) assert.equal((await get(each)).status, 5);
});

test("logins by the registry's host; a token comes without a name", async (t) => {
  const asked: string[] = [];
  const { builder } = await builderOf(t, {
    login: (registry) => {
      asked.push(registry);
      if (registry === "docker.io") return Promise.resolve({ kind: "password", username: "me", password: "p" });
      return Promise.resolve(registry === "none" ? undefined : { kind: "token", identityToken: "T" });
    },
  });
  const get = async (host: string) => {
    const { status, answer } = await call(builder, "/moby.filesync.v1.Auth/Credentials", bytesField(1, host));
    const fields = readFields(answer.subarray(5));
    return [status, textOf(fields, 1), textOf(fields, 2)];
  };
  assert.deepEqual(await get("registry-1.docker.io"), [0, "me", "p"]);
  assert.deepEqual(await get("a.example.com"), [0, "", "T"]);
  assert.deepEqual(await get("none"), [0, "", ""]);
  assert.deepEqual(asked, ["docker.io", "a.example.com", "none"]);
});

test("a folder: all entries first, then the bytes that are asked for, and an error where one cannot be read", async (t) => {
  const big = Buffer.alloc(3_000_000, "x");
  const { builder } = await builderOf(t, {
    folders: {
      context: {
        entries: [
          { kind: "folder", path: "a", mode: 0o1755, mtimeMs: 0 },
          { kind: "file", path: "a/big", mode: 0o4644, mtimeMs: 1_800_000_000_123, bytes: big.length, sha256: "" },
          { kind: "link", path: "a/link", mode: 0o777, mtimeMs: 5, target: "../ü" },
          { kind: "file", path: "b", mode: 0o600, mtimeMs: -5, bytes: 1, sha256: "" },
        ],
        async *read({ path }) {
          if (path === "b") throw new Error("b changed");
          for (let at = 0; at < big.length; at += 100_000) yield big.subarray(at, at + 100_000);
        },
      },
    },
  });
  const stream = builder.request({
    ":method": "POST",
    ":path": "/moby.filesync.v1.FileSync/DiffCopy",
    "dir-name": "context",
  });
  const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
  const packets: (readonly [kind: number, id: number, data: Buffer])[] = [];
  const stats: string[] = [];
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of stream) {
    held = Buffer.concat([held, piece as Buffer]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const fields = readFields(held.subarray(5, 5 + held.readUInt32BE(1)));
      held = held.subarray(5 + held.readUInt32BE(1));
      const of = (number: number) => fields.find((each) => each.number === number);
      const [kind, id] = [of(1)?.integer ?? 0, of(3)?.integer ?? 0];
      const stat = of(2)?.bytes;
      if (stat !== undefined) stats.push(describe(stat));
      else packets.push([kind, id, of(4)?.bytes ?? Buffer.alloc(0)]);
      // The end of the list: two files are asked for.
      if (kind === 0 && stat === undefined)
        for (const each of [1, 3]) stream.write(framed(Buffer.concat([integerField(1, 1), integerField(3, each)])));
      if (kind === 4) stream.end(framed(integerField(1, 3)));
    }
  }
  assert.deepEqual(stats, [
    `a ${(2 ** 31 + 2 ** 20 + 0o755).toString(8)} 0  at 0`,
    `a/big ${(2 ** 23 + 0o644).toString(8)} ${big.length}  at 1800000000123`,
    `a/link ${(2 ** 27 + 0o777).toString(8)} 0 ../ü at 5`,
    "b 600 1  at 0",
  ]);
  const sent = packets.filter(([kind, id]) => kind === 2 && id === 1).map(([, , data]) => data);
  assert.ok(Buffer.concat(sent).equals(big));
  assert.equal(sent.at(-1)?.length, 0, "an empty packet ends a file");
  const [, , reason] = packets.at(-1) ?? [];
  assert.equal(reason?.toString(), "b changed");
  assert.notEqual((await trailers)[0]["grpc-status"], "0");
});

function describe(stat: Buffer): string {
  const fields = readFields(stat);
  const integer = (number: number) => fields.find((each) => each.number === number)?.integer ?? 0;
  return `${textOf(fields, 1)} ${integer(2).toString(8)} ${integer(5)} ${textOf(fields, 7)} at ${Math.round(integer(6) / 1e6)}`;
}

test("only what was given may be seen", async (t) => {
  const { builder } = await builderOf(t, {});
  const stream = builder.request({
    ":method": "POST",
    ":path": "/moby.filesync.v1.FileSync/DiffCopy",
    "dir-name": "etc",
  });
  stream.end();
  stream.resume();
  const [end] = (await once(stream, "trailers")) as [IncomingHttpHeaders];
  assert.equal(end["grpc-status"], "5");
});
