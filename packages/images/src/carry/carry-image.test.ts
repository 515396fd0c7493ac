import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { connectEngine } from "../engine/client.ts";
import { carryImage } from "./carry-image.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An engine that answers as told, by the path without its version; what it does not know is absent. */
async function engineOf(t: TestContext, api: string, answers: Readonly<Record<string, Answer | object>>) {
  const folder = mkdtempSync(join(tmpdir(), "pctl-carry-"));
  const listener: RequestListener = (request, response) => {
    const path = decodeURIComponent((request.url ?? "").replace(/^\/v[\d.]+/, "").replace(/\?.*$/, ""));
    const answer = path === "/version" ? { Version: "x", ApiVersion: api, Os: "linux" } : answers[path];
    if (typeof answer === "function") (answer as Answer)(request, response);
    else if (answer === undefined) response.writeHead(404).end(JSON.stringify({ message: "No such image" }));
    else response.end(JSON.stringify(answer));
  };
  const server = createServer(listener).listen(join(folder, "s"));
  await once(server, "listening");
  const engine = connectEngine({ kind: "socket", path: join(folder, "s") });
  t.after(async () => {
    await engine.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return engine;
}

const image = { Id: "sha256:1", Size: 400_000, RootFS: { Layers: ["sha256:a", "sha256:b"] } };

/** As engine 25 and newer save it. */
function savedImage(t: TestContext): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "pctl-saved-"));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync("mkdir", ["-p", join(folder, "blobs/sha256")]);
  for (const each of ["a", "b"]) writeFileSync(join(folder, "blobs/sha256", each), each.repeat(200_000));
  writeFileSync(join(folder, "manifest.json"), "[]");
  return execFileSync("tar", ["-C", folder, "-c", "blobs", "manifest.json"]);
}

const withCode = (code: string) => (error: unknown) => {
  assert.ok(isCtrlPlaneError(error), String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

test("a connection that breaks on either side is told as such", async (t) => {
  const saved = savedImage(t);
  const whole = await engineOf(t, "1.45", {
    "/images/app:1/json": image,
    "/images/app:1/get": (_, to) => to.end(saved),
  });
  const broken = await engineOf(t, "1.45", {
    "/images/app:1/json": image,
    "/images/app:1/get": (_, to) => to.write(saved.subarray(0, 150_000), () => to.destroy()),
  });
  const lists = { "/info": {}, "/images/json": [] };
  const taking = await engineOf(t, "1.41", {
    ...lists,
    "/images/load": (from, to) =>
      void buffer(from).then(
        () => to.end(),
        () => undefined,
      ),
  });
  const dying = await engineOf(t, "1.41", {
    ...lists,
    "/images/load": (from) => from.once("data", () => from.destroy()),
  });
  await assert.rejects(carryImage(broken, taking, "app:1"), withCode("UNAVAILABLE"));
  await assert.rejects(carryImage(whole, dying, "app:1"), withCode("UNAVAILABLE"));
  const full = await engineOf(t, "1.41", {
    ...lists,
    "/images/load": (from, to) => {
      from.resume();
      from.once("end", () => to.end(JSON.stringify({ error: "write /x: no space left on device" })));
    },
  });
  await assert.rejects(carryImage(whole, full, "app:1"), withCode("QUOTA"));
});

test("layers that went while it was on its way are sent after all", async (t) => {
  const saved = savedImage(t);
  const source = await engineOf(t, "1.45", {
    "/images/app:1/json": image,
    "/images/app:1/get": (_, to) => to.end(saved),
  });
  const received: number[] = [];
  const answers: Record<string, Answer | object> = {
    "/info": {},
    "/images/json": [{ Id: "sha256:2" }],
    "/images/sha256:2/json": { ...image, Id: "sha256:2", RootFS: { Layers: ["sha256:a", "sha256:c"] } },
    "/images/load": (from: IncomingMessage, to: ServerResponse) => {
      void buffer(from).then((bytes) => {
        received.push(bytes.length);
        if (received.length === 1)
          return to.writeHead(500).end(JSON.stringify({ message: "open blobs/sha256/a: no such file" }));
        answers["/images/app:1/json"] = image;
        return to.end();
      });
    },
  };
  const target = await engineOf(t, "1.41", answers);
  const carried = await carryImage(source, target, "app:1");
  assert.deepEqual(carried, { id: "sha256:1", bytes: saved.length, sharedLayers: 1 });
  const [first = 0, second] = received;
  assert.equal(second, saved.length);
  assert.ok(first < 250_000, `${first}`);
});

test("where images are kept by containerd the stream is whole", async (t) => {
  const saved = savedImage(t);
  const source = await engineOf(t, "1.45", {
    "/images/app:1/json": image,
    "/images/app:1/get": (_, to) => to.end(saved),
  });
  const answers: Record<string, Answer | object> = {
    "/info": { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] },
    "/images/json": [{ Id: "sha256:2" }],
    "/images/sha256:2/json": image,
    "/images/load": (from: IncomingMessage, to: ServerResponse) => {
      void buffer(from).then(() => {
        answers["/images/app:1/json"] = { ...image, Id: "sha256:other" };
        return to.end();
      });
    },
  };
  const target = await engineOf(t, "1.47", answers);
  assert.deepEqual(await carryImage(source, target, "app:1"), {
    id: "sha256:other",
    bytes: saved.length,
    sharedLayers: 0,
  });
});
