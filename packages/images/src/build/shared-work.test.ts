import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedWork } from "./shared-work.ts";

test("equal work is done once, and again when it is asked for later", async () => {
  const work = sharedWork<number, never>();
  let times = 0;
  const start = () => Promise.resolve().then(() => ++times);
  const [a, b, other] = await Promise.all([work.run("a", start), work.run("a", start), work.run("b", start)]);
  assert.deepEqual([a, b, other], [1, 1, 2]);
  assert.equal(await work.run("a", start), 3);
  await assert.rejects(
    work.run("a", () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await work.run("a", start), 4, "what failed is no result");
});

test("who leaves does not take the work along; the last one does", async () => {
  const work = sharedWork<string, number>();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let seen: AbortSignal | undefined;
  const told: string[] = [];
  let say: (progress: number) => void = () => assert.fail("not begun");
  const start = (signal: AbortSignal, tell: (progress: number) => void) => {
    seen = signal;
    say = tell;
    signal.addEventListener("abort", () => reject(signal.reason instanceof Error ? signal.reason : new Error("left")));
    return promise;
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const one = work.run("a", start, { signal: first.signal, onProgress: (each) => told.push(`one ${each}`) });
  const two = work.run("a", start, { signal: second.signal, onProgress: (each) => told.push(`two ${each}`) });
  say(1);
  first.abort();
  await assert.rejects(one, { name: "AbortError" });
  say(2);
  assert.deepEqual(told, ["one 1", "two 1", "two 2"]);
  assert.equal(seen?.aborted, false);
  second.abort();
  await assert.rejects(two, { name: "AbortError" });
  assert.equal(seen?.aborted, true);
  resolve("late");
  assert.equal(await work.run("a", () => Promise.resolve("new")), "new");
});
