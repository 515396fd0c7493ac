import assert from "node:assert/strict";
import { test } from "node:test";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { connectEngine, type EngineClient } from "../engine/client.ts";
import { imageGroup, onFirst } from "./image-group.ts";

/** Nobody is asked. */
const engines = ["one", "two", "three"].map((name) => connectEngine({ kind: "socket", path: `/nowhere/${name}` }));
const [one, two, three] = engines as [EngineClient, EngineClient, EngineClient];

test("one does it for all who ask at a time", async () => {
  const group = imageGroup();
  let count = 0;
  const work = async () => {
    count += 1;
    await Promise.resolve();
    return count;
  };
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => group.once("a", undefined, work))), [1, 1, 1]);
  assert.equal(await group.once("a", undefined, work), 2, "later it is asked for anew");
});

test("an image is built where it is expected, always on the same engine first", () => {
  const group = imageGroup();
  group.expect(one, "b");
  group.expect(two, "a");
  group.expect(one, "a");
  assert.deepEqual(group.expecting("a", two), [one, two]);
  assert.deepEqual(group.expecting("b", one), [one]);
  assert.deepEqual(group.expecting("a", three), [one, two, three]);
  group.leave(one);
  assert.deepEqual(group.expecting("a", two), [two]);
  assert.deepEqual([...group.engines], [two]);
});

test("what befell one engine is no matter of the next, a build that fails is", async () => {
  const tried: EngineClient[] = [];
  const failing = (code: "UNAVAILABLE" | "FAILED") => (engine: EngineClient) => {
    tried.push(engine);
    return engine === one ? Promise.reject(new CtrlPlaneError(code, "no")) : Promise.resolve("done");
  };
  assert.deepEqual(await onFirst([one, two, three], failing("UNAVAILABLE")), { engine: two, result: "done" });
  await assert.rejects(onFirst([one, two], failing("FAILED")), { code: "FAILED" });
  await assert.rejects(onFirst([one], failing("UNAVAILABLE")), { code: "UNAVAILABLE" });
  assert.deepEqual(tried, [one, two, one, one]);
});
