import assert from "node:assert/strict";
import { test } from "node:test";
import { Changes } from "./changes.ts";
import { restartDelay } from "./timing.ts";

test("delays double from 100 ms to 30 s", () => {
  assert.deepEqual([1, 2, 3, 9, 10, 50].map(restartDelay), [100, 200, 400, 25_600, 30_000, 30_000]);
});

test("a condition is looked at at once and after every change, until it holds", async () => {
  const changes = new Changes();
  let value = 0;
  const waiting = changes.until(() => value === 2 && "two");
  for (value = 1; value < 2; value++) changes.tell();
  changes.tell();
  assert.equal(await waiting, "two");
  assert.equal(await changes.until(() => "now"), "now");
  await assert.rejects(
    changes.until(() => {
      throw new Error("never");
    }),
    { message: "never" },
  );
  const gone = new AbortController();
  const aborted = changes.until(() => false, gone.signal);
  gone.abort(new Error("gone"));
  await assert.rejects(aborted, { message: "gone" });
});
