import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { connectEngine, type EngineClient } from "./client.ts";
import { isEngineError } from "./errors.ts";
import { chooseVersion, compare } from "./version.ts";

const version = { Version: "20.10.24", ApiVersion: "1.41", MinAPIVersion: "1.12", Os: "linux", Arch: "amd64" };

test("speaks the newest version that both sides know, and asks for it once", async (t) => {
  const asked: string[] = [];
  const engine = await serve(t, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify(request.url === "/version" ? version : []));
  });
  const query = { all: true, filters: { label: ["managed-by=pctl"] } };
  await engine.json({ method: "GET", path: "/containers/json", query });
  await engine.json({ method: "GET", path: "/volumes" });
  const filters = encodeURIComponent(`{"label":["managed-by=pctl"]}`);
  assert.deepEqual(asked, [
    "GET /version",
    `GET /v1.41/containers/json?all=true&filters=${filters}`,
    "GET /v1.41/volumes",
  ]);
});

test("refuses engines that are too old, and those that are too new", () => {
  assert.equal(chooseVersion({ ...version, ApiVersion: "1.99" }).api, "1.52");
  for (const strange of [{ ApiVersion: "1.40" }, { ApiVersion: "2.3", MinAPIVersion: "2.0" }, {}]) {
    assert.throws(
      () => chooseVersion({ ...version, ApiVersion: undefined, ...strange }),
      (error) => isCtrlPlaneError(error) && error.code === "UNSUPPORTED",
    );
  }
});

/** Answers as an engine does that speaks these versions of the API, to `GET /info` its own; refuses others as engines do. */
function engineOf(min: string, max: string): RequestListener {
  return ({ url = "" }, response) => {
    if (url === "/version") {
      response.end(JSON.stringify({ ...version, Version: "its own", ApiVersion: max, MinAPIVersion: min }));
      return;
    }
    const asked = /^\/v([\d.]+)\/info$/.exec(url)?.[1] ?? "";
    const isOld = compare(asked, min) < 0;
    const message = `client version ${asked} is too ${isOld ? "old. Minimum" : "new. Maximum"} supported API version is ${isOld ? min : max}`;
    if (isOld || compare(asked, max) > 0) response.writeHead(400).end(JSON.stringify({ message }));
    else response.end(JSON.stringify({ asked }));
  };
}

test("engines from 20.10 to 29 are spoken to in a version that they take; an older and a newer one are told as such", async (t) => {
  const info = { method: "GET", path: "/info" } as const;
  const spoken = [
    ["1.12", "1.41", "1.41"],
    ["1.24", "1.45", "1.45"],
    ["1.44", "1.52", "1.52"],
    ["1.44", "1.55", "1.52"],
  ] as const;
  for (const [min, max, asked] of spoken) {
    const engine = await serve(t, engineOf(min, max));
    assert.deepEqual(await engine.json(info), { asked });
  }
  const refused = async (min: string, max: string, words: RegExp, hint: RegExp): Promise<void> => {
    const engine = await serve(t, engineOf(min, max));
    await assert.rejects(engine.json(info), (error) => {
      assert.ok(isCtrlPlaneError(error) && error.code === "UNSUPPORTED");
      assert.match(error.message, words);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  };
  await refused("1.12", "1.40", /API 1\.40; at least 1\.41 is needed/, /20\.10 or newer/);
  await refused("1.60", "1.70", /no API older than 1\.60; we speak 1\.52/, /newer pctl/);
});

test("says in the engine's words what it refused", async (t) => {
  const engine = await serve(t, (request, response) => {
    if (request.url === "/version") response.end(JSON.stringify(version));
    else response.writeHead(409).end(JSON.stringify({ message: "volume is in use" }));
  });
  await assert.rejects(
    engine.json({ method: "DELETE", path: "/volumes/a" }),
    (error) => isEngineError(error, 409) && error.message === "volume is in use",
  );
});

test("a body is sent as it is", async (t) => {
  const engine = await serve(t, (request, response) => {
    if (request.url === "/version") response.end(JSON.stringify(version));
    else void text(request).then((got) => response.end(JSON.stringify({ got, type: request.headers["content-type"] })));
  });
  const sent = { Labels: { a: "line\n'$(b)\" ü" } };
  const answer = await engine.json({ method: "POST", path: "/volumes/create", body: sent });
  assert.deepEqual(answer, { got: JSON.stringify(sent), type: "application/json" });
});

test("tells an engine that is not there from one that may not be used", async () => {
  const engine = connectEngine({ kind: "socket", path: "/nowhere/docker.sock" });
  await assert.rejects(engine.version(), (error) => isCtrlPlaneError(error) && error.code === "UNAVAILABLE");
});

test("a read over a kept connection that has ended is sent again, a write is not", async (t) => {
  const seen = new WeakMap<object, number>();
  const engine = await serve(t, (request, response) => {
    const count = (seen.get(request.socket) ?? 0) + 1;
    seen.set(request.socket, count);
    if (count > 1) request.socket.destroy();
    else response.end(JSON.stringify(request.url === "/version" ? version : []));
  });
  await engine.version();
  assert.deepEqual(await engine.json({ method: "GET", path: "/volumes" }), []);
  await assert.rejects(engine.json({ method: "POST", path: "/volumes/create" }), { code: "UNAVAILABLE" });
  // Its connection is gone by now.
  assert.deepEqual(await engine.json({ method: "GET", path: "/volumes" }), []);
});

test("an engine that hangs is told, and what lasts is waited for", async (t) => {
  let answer: (() => void) | undefined;
  const listener: RequestListener = (request, response) => {
    if (request.url === "/version") response.end(JSON.stringify(version));
    else if (request.url?.endsWith("/wait") === true) answer = () => response.end(JSON.stringify({ StatusCode: 3 }));
  };
  const engine = await serve(t, listener, { readMs: 20, writeMs: 20 });
  const waited = engine.json({ method: "POST", path: "/containers/a/wait" });
  for (const method of ["GET", "DELETE"] as const) {
    await assert.rejects(
      engine.json({ method, path: "/networks" }),
      (error) => isCtrlPlaneError(error) && error.code === "UNAVAILABLE" && /did not answer/.test(error.message),
    );
  }
  const over = new AbortController();
  const given = engine.json({ method: "GET", path: "/networks", signal: over.signal });
  over.abort(new Error("enough"));
  await assert.rejects(given, /enough|aborted/);
  answer?.();
  assert.deepEqual(await waited, { StatusCode: 3 });
});

test("containers that are being started leave room for the renewal of a lease", { timeout: 60_000 }, async (t) => {
  const starting = new Set<() => void>();
  const engine = await serve(t, (request, response) => {
    if (request.url === "/version") response.end(JSON.stringify(version));
    else if (request.url?.endsWith("/start") === true) {
      const end = (): void => void (starting.delete(end), response.end());
      starting.add(end);
    } else response.end(JSON.stringify({ Name: "lease" }));
  });
  const all = Array.from({ length: 100 }, (_, index) =>
    engine.json({ method: "POST", path: `/containers/c${index}/start` }),
  );
  // Of its 32 connections one is not theirs: it answers, however long they take.
  while (starting.size < 31)
    assert.deepEqual(await engine.json({ method: "POST", path: "/volumes/create", body: {} }), { Name: "lease" });
  const ended = Promise.all(all).then(() => true);
  while (!(await Promise.race([ended, engine.json({ method: "GET", path: "/volumes" }).then(() => false)])))
    for (const end of starting) end();
});

async function serve(
  t: TestContext,
  listener: RequestListener,
  limits?: { readonly readMs: number; readonly writeMs: number },
): Promise<EngineClient> {
  const folder = mkdtempSync(join(tmpdir(), "pctl-engine-"));
  const path = join(folder, "docker.sock");
  const server = createServer(listener).listen(path);
  await once(server, "listening");
  const engine = connectEngine({ kind: "socket", path }, limits);
  t.after(async () => {
    await engine.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return engine;
}
