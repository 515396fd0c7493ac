import assert from "node:assert/strict";
import { test } from "node:test";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { imageGroup } from "./image-group.ts";

test("one does it for all who ask at a time", async () => {
  const group = imageGroup();
  let count = 0;
  const work = async () => {
    count += 1;
    await Promise.resolve();
    return count;
  };
  const results = await Promise.all([1, 2, 3].map(() => group.once("a", undefined, work)));
  assert.deepEqual(results, [1, 1, 1]);
  assert.equal(await group.once("a", undefined, work), 2, "later it is asked for anew");
});

test("what befell the engine of one is no matter of the others, a build that fails is", async () => {
  const group = imageGroup();
  const tried: string[] = [];
  const ask = (name: string, error?: CtrlPlaneError) =>
    group.once("a", undefined, async () => {
      tried.push(name);
      await Promise.resolve();
      if (error !== undefined) throw error;
      return name;
    });
  const cut = new CtrlPlaneError("UNAVAILABLE", "the connection broke");
  const [one, two, three] = await Promise.allSettled([ask("one", cut), ask("two"), ask("three")]);
  assert.equal(one.status === "rejected" && one.reason, cut);
  assert.deepEqual(
    [two, three].map((each) => each.status === "fulfilled" && each.value),
    ["two", "two"],
  );
  assert.deepEqual(tried, ["one", "two"]);

  const failed = new CtrlPlaneError("FAILED", "exit code 1");
  const both = await Promise.allSettled([ask("four", failed), ask("five")]);
  assert.deepEqual(
    both.map((each) => each.status),
    ["rejected", "rejected"],
  );
  assert.deepEqual(tried.slice(2), ["four"]);
});
