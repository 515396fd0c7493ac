import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { bytesField, integerField, readFields } from "../buildkit/protobuf.ts";
import { buildKitReader } from "./buildkit-reader.ts";
import { classicReader } from "./classic-reader.ts";
import { buildError } from "./failure.ts";
import type { BuildMessage, BuildReader } from "./progress.ts";

function readAll(read: BuildReader, messages: readonly BuildMessage[]) {
  const news = messages.map(read);
  const progress = news.flatMap((each) => each.progress);
  return {
    lines: progress.map((each) => `${each.step} ${each.kind === "step" ? each.state : `| ${each.text}`}`),
    failure: news.find((each) => each.failure !== undefined)?.failure,
    imageId: news.find((each) => each.imageId !== undefined)?.imageId,
  };
}

test("what the classic builder says", () => {
  const pieces = ["Step 1/2 : FROM busybox\n ---> 6fb3\nSt", "ep 2/2 : RUN make\n ---> Running in 12\none\r\ntw"];
  const end = ["o\n\u001b[91mred\n\u001b[0m\nRemoving intermediate container 12\n ---> 7a\n"];
  const { lines, imageId } = readAll(classicReader(), [
    ...[...pieces, ...end].map((stream) => ({ stream })),
    { aux: { ID: "sha256:7a" } },
    { stream: "Successfully built 7a\n" },
  ]);
  const run = "[2/2] RUN make";
  assert.deepEqual(lines, [
    "[1/2] FROM busybox started",
    "[1/2] FROM busybox done",
    `${run} started`,
    `${run} | one`,
    `${run} | two`,
    `${run} | red`,
    `${run} done`,
  ]);
  assert.equal(imageId, "sha256:7a");
  const cached = readAll(classicReader(), [{ stream: "Step 1/1 : RUN a\n ---> Using cache\nStep 2/2 : RUN b\n" }]);
  assert.deepEqual(cached.lines.slice(0, 2), ["[1/1] RUN a started", "[1/1] RUN a cached"]);
});

const trace = (...fields: readonly Buffer[]) => ({
  id: "moby.buildkit.trace",
  aux: Buffer.concat(fields).toString("base64"),
});
const vertex = (name: string, ...more: readonly Buffer[]) =>
  bytesField(1, Buffer.concat([bytesField(1, `id of ${name}`), bytesField(3, name), ...more]));
const log = (name: string, text: string) =>
  bytesField(3, Buffer.concat([bytesField(1, `id of ${name}`), bytesField(4, text)]));
const [isCached, started, completed] = [integerField(4, 1), bytesField(5, "now"), bytesField(6, "now")];

test("what BuildKit says", () => {
  const { lines, imageId, failure } = readAll(buildKitReader(), [
    trace(vertex("[internal] load build context", started), vertex("[1/2] RUN a"), vertex("[2/2] RUN b")),
    trace(vertex("[1/2] RUN a", isCached, started, completed)),
    trace(vertex("[2/2] RUN b", started)),
    trace(vertex("[2/2] RUN b", started), log("[2/2] RUN b", "one\ntw")),
    trace(log("[2/2] RUN b", "o\nlast"), vertex("[2/2] RUN b", started, completed)),
    { id: "moby.image.id", aux: { ID: "sha256:7a" } },
  ]);
  assert.deepEqual(lines, [
    "[1/2] RUN a cached",
    "[2/2] RUN b started",
    "[2/2] RUN b | one",
    "[2/2] RUN b | two",
    "[2/2] RUN b | last",
    "[2/2] RUN b done",
  ]);
  assert.equal(imageId, "sha256:7a");
  assert.equal(failure, undefined);
});

test("the step that failed is told, not those that were cancelled with it", () => {
  const failing = (reason: string) => bytesField(7, reason);
  const { failure, lines } = readAll(buildKitReader(), [
    trace(vertex("RUN a", started), vertex("RUN b", started)),
    trace(vertex("RUN a", started, completed, failing("context canceled: context canceled"))),
    trace(vertex("RUN b", started, completed, failing("exit code: 3")), log("RUN b", "no")),
    { error: "failed to solve: RUN b" },
  ]);
  assert.deepEqual(failure, { step: "RUN b", reason: "exit code: 3" });
  assert.deepEqual(lines.slice(2), ["RUN b | no"]);
  const early = readAll(buildKitReader(), [
    { error: "failed to solve with frontend dockerfile.v0: failed to create LLB definition: Dockerfile parse error" },
  ]);
  assert.deepEqual(early.failure, { reason: "Dockerfile parse error" });
});

test("a failed build tells step, exit code and at most 20 lines", () => {
  const tail = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const error = buildError({ step: "[2/2] RUN make", reason: "executor failed: exit code: 2" }, "./web", tail);
  assert.equal(error.message, "./web could not be built: [2/2] RUN make: exit code 2");
  assert.equal(error.code, "FAILED");
  assert.deepEqual(error.failure?.logTail, tail.slice(10));
  assert.equal(error.failure?.exitCode, 2);
  const missing = buildError({ reason: "pull access denied for nobody/nothing" }, "./web", []);
  assert.equal(missing.failure?.verdict, "IMAGE_PULL");
  const full = buildError({ reason: "write /x: no space left on device" }, "./web", []);
  assert.ok(isCtrlPlaneError(full) && full.code === "QUOTA");
});

test("messages that are cut off are refused", () => {
  const whole = Buffer.concat([
    integerField(1, 2 ** 40 + 300),
    bytesField(2, "text".repeat(100)),
    Buffer.from([0x19]),
    Buffer.alloc(8),
  ]);
  const [first, second, ...more] = readFields(whole);
  assert.deepEqual([first?.integer, second?.bytes.length, more], [2 ** 40 + 300, 400, []]);
  assert.throws(() => readFields(whole.subarray(0, 50)), RangeError);
  assert.throws(() => readFields(Buffer.from([0x88])), RangeError);
});
