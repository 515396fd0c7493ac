import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import { rejects, sampled } from "../expect.ts";
import { ends, rolling as strategy, serves } from "../spec.ts";

export const rolling = group("rolling", ["deploy", "rolling"], {
  "somebody-answers-all-the-time": [
    "While a release is replaced each request is answered, by the old or by the new.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"), { scale: { replicas: 2 }, strategy });
      const two = await web.release(serves("two", { readyMs: 200 }), { scale: { replicas: 2 }, strategy });
      const { seen } = await sampled(async () => (await web.ask(one.spec))?.version, web.deploy(two));
      assert.deepEqual(
        seen.filter((each) => each !== "one" && each !== "two"),
        [],
      );
      assert.ok(seen.includes("one") && seen.at(-1) === "two", "requests of both releases");
    },
  ],
  "never-fewer-than-wanted": [
    "While a release is replaced at least as many replicas run as are wanted.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 }, strategy });
      const two = await web.release(serves("two", { readyMs: 200 }), { scale: { replicas: 2 }, strategy });
      const { seen } = await sampled(async () => (await web.runningAtOnce()).length, web.deploy(two));
      assert.ok(Math.min(...seen) >= 2, `${Math.min(...seen)} ran`);
    },
  ],
  "the-old-go-in-the-end": [
    "In the end the new release alone runs.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 }, strategy });
      await web.up(serves("two"), { scale: { replicas: 2 }, strategy });
      assert.equal(await web.versions(), "two two");
      assert.equal((await web.look())?.replicas.length, 2);
    },
  ],
  "what-is-not-ready-replaces-nothing": [
    "A release that does not get ready leaves the very replicas that served.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 }, strategy });
      const before = await web.running();
      const two = await web.release(
        { kind: "deaf", version: "two" },
        { scale: { replicas: 2 }, strategy: { ...strategy, timeoutMs: 1_500 } },
      );
      const { seen } = await sampled(() => web.answers(), rejects(web.deploy(two), "FAILED"));
      assert.deepEqual(await web.running(), before);
      assert.deepEqual([...new Set(seen)], ["one"]);
    },
  ],
  "what-ends-at-once-replaces-nothing": [
    "A release that ends at once leaves the very replicas that served.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { strategy });
      const before = await web.running();
      const two = await web.release(ends("two", 3), { strategy });
      const { failure } = await rejects(web.deploy(two), "FAILED");
      assert.equal(failure?.reverted, true);
      assert.deepEqual(await web.running(), before);
    },
  ],
  "what-dies-young-is-taken-back": [
    "A release that becomes ready and ends soon after fails, and the one before answers.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { strategy });
      const before = await web.running();
      const two = await web.release(serves("two", { diesMs: 300 }), { strategy });
      const { failure } = await rejects(web.deploy(two), "FAILED");
      assert.equal(failure?.reverted, true);
      assert.deepEqual(await web.running(), before);
      assert.equal(await web.answers(), "one");
    },
  ],
  "a-first-release-does-not-wait": [
    "Where nothing old runs all replicas come at once, whatever the batch.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(
        { kind: "deaf", version: "one" },
        { scale: { replicas: 3 }, strategy: { ...strategy, timeoutMs: 1_500 } },
      );
      const count = async (): Promise<number> => (await web.runningAtOnce()).length;
      const { seen } = await sampled(count, rejects(web.deploy(release), "FAILED"));
      assert.equal(Math.max(...seen), 3);
    },
  ],
  "one-batch-at-a-time": [
    "With batches of one no more than one replica of the new release runs before the first of them is ready.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 3 }, strategy });
      const two = await web.release(
        { kind: "deaf", version: "two" },
        { scale: { replicas: 3 }, strategy: { ...strategy, timeoutMs: 1_500 } },
      );
      const count = async (): Promise<number> =>
        (await web.runningAtOnce()).filter((each) => each.version === "two").length;
      const { seen } = await sampled(count, rejects(web.deploy(two), "FAILED"));
      assert.equal(Math.max(...seen), 1);
    },
  ],
});
