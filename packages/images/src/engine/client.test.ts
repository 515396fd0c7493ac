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
import { chooseVersion } from "./version.ts";

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
  assert.equal(chooseVersion({ ...version, ApiVersion: "1.99" }).api, "1.51");
  for (const strange of [{ ApiVersion: "1.40" }, { ApiVersion: "2.3", MinAPIVersion: "2.0" }, {}]) {
    assert.throws(
      () => chooseVersion({ ...version, ApiVersion: undefined, ...strange }),
      (error) => isCtrlPlaneError(error) && error.code === "UNSUPPORTED",
    );
  }
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
