import assert from "node:assert/strict";
import { test } from "node:test";
import { wholeWeights } from "./weights.ts";

test("percents that are whole stay what they are", () => {
  assert.deepEqual(wholeWeights([99, 1]), [99, 1]);
  assert.deepEqual(wholeWeights([90, 10]), [9, 1]);
  assert.deepEqual(wholeWeights([100]), [1]);
  assert.deepEqual(wholeWeights([50, 50, 0]), [1, 1, 0]);
});

test("thirds and other fractions come within a tenth of a percent", () => {
  for (const percents of [
    [95 / 3, 95 / 3, 95 / 3, 5],
    [99 / 7, 99 / 7, 99 / 7, 99 / 7, 99 / 7, 99 / 7, 99 / 7, 1],
    [100 / 3, 100 / 3, 100 / 3],
  ]) {
    const weights = wholeWeights(percents);
    const total = weights.reduce((sum, each) => sum + each, 0);
    for (const [index, each] of weights.entries()) {
      assert.ok(Math.abs((each / total) * 100 - (percents[index] ?? 0)) < 0.1, `${percents.join()}: ${weights.join()}`);
      assert.ok(each <= 256);
    }
  }
});

test("a share above nothing is never nothing, and nothing stays nothing", () => {
  const weights = wholeWeights([99.9, 0.1, 0]);
  assert.equal(weights[2], 0);
  assert.ok((weights[1] ?? 0) >= 1);
  assert.deepEqual(wholeWeights([0, 0]), [0, 0]);
  assert.deepEqual(wholeWeights([]), []);
});
