import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { recordsOf, Volumes } from "./volumes.test.support.ts";

const { signal } = new AbortController();
const call = { signal, check: () => Promise.resolve() };

/** What becomes of a request: an engine dies over it, which may leave a volume without labels, or its writer does before it was sent. */
const fate = fc.oneof(
  { weight: 40, arbitrary: fc.constant("done") },
  { weight: 1, arbitrary: fc.constant("half-made") },
  { weight: 1, arbitrary: fc.constant("killed") },
);

test("however writers cross and die, what was written stays in all that follows, and no version is replaced twice", async () => {
  let met = { won: 0, lost: 0, died: 0 };
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(fate, { minLength: 200, maxLength: 200 }), async (order, fates) => {
      const volumes = new Volumes();
      let requests = 0;
      volumes.before = async ({ method, body }) => {
        await order.schedule(Promise.resolve());
        const what = fates[requests++ % fates.length];
        const { Name } = (body ?? {}) as { Name?: string };
        if (what === "half-made" && method === "POST" && Name !== undefined && !volumes.all.has(Name))
          volumes.all.set(Name, null);
        if (what !== "done") throw new Error("died");
      };
      const replaced: string[] = [];
      const won: string[] = [];
      let [begun, lost, died] = [0, 0, 0];
      const write = async (): Promise<void> => {
        let records = recordsOf(volumes);
        for (let round = 0; round < 6; round += 1) {
          try {
            const found = await records.read("a", signal);
            const mine = String((begun += 1));
            const value = [...(found?.value.split(" ") ?? []), mine].join(" ");
            const made =
              found === undefined
                ? await records.create("a", value, {}, call)
                : await records.swap("a", value, found.version, {}, call);
            if (made === undefined) {
              lost += 1;
              continue;
            }
            won.push(mine);
            replaced.push(found?.version ?? "none");
          } catch (error) {
            assert.match(String(error), /died/);
            died += 1;
            records = recordsOf(volumes);
          }
        }
      };
      const all = Promise.all([write(), write(), write(), write()]);
      await order.waitFor(all);

      assert.deepEqual([...new Set(replaced)], replaced, "a version was replaced twice");
      volumes.before = () => Promise.resolve();
      // One that was told to have lost may have been read, and replaced, before its writer looked.
      const kept = (await recordsOf(volumes).read("a", signal))?.value.split(" ") ?? [];
      assert.deepEqual([...new Set(kept)], kept);
      assert.deepEqual(
        won.filter((each) => !kept.includes(each)),
        [],
        `kept: ${kept.join(" ")}`,
      );
      met = { won: met.won + won.length, lost: met.lost + lost, died: met.died + died };
    }),
    { numRuns: 300 },
  );
  assert.ok(met.won > 1000 && met.lost > 500 && met.died > 100, JSON.stringify(met));
});
