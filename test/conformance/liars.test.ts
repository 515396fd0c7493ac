import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { behaviours, startRun } from "@ctrlplane/conformance";
import { harnessOf, type Liar } from "./liar.ts";
import { liars } from "./liars.ts";

/** Behaviours that no liar has failed yet. */
const notYetSeenFailing: readonly string[] = [];

const isWhole = process.env.SOAK === "1";
const ids = behaviours.map((each) => each.id);

/** In a soak all behaviours; else those that catch it, and one in sixteen of the others, always the same. */
function triedOn({ name, caughtBy }: Pick<Liar, "name" | "caughtBy">): readonly string[] {
  const isDrawn = (id: string): boolean => (createHash("sha256").update(`${name} ${id}`).digest()[0] ?? 0) < 16;
  return ids.filter((id) => isWhole || caughtBy.includes(id) || isDrawn(id));
}

/** Those that fail. None of them depends on how busy the machine is: what waits has time. */
async function failuresOf(liar: Pick<Liar, "lie" | "around">, only: readonly string[]): Promise<readonly string[]> {
  const { behaviours: all } = await startRun({ harness: await harnessOf(liar), only, timeoutMs: 60_000 }).report;
  return all.filter((each) => each.outcome === "fails").map((each) => each.id);
}

describe("what lies is caught by the behaviours that are about it", { concurrency: 12 }, () => {
  for (const liar of liars) {
    test(liar.name, async () => {
      const tried = triedOn(liar);
      assert.deepEqual(
        await failuresOf(liar, tried),
        ids.filter((id) => liar.caughtBy.includes(id)),
      );
    });
  }

  test("their honest twin is caught by none", async () => {
    assert.deepEqual(await failuresOf({}, ids), []);
  });
});

test("every behaviour has been seen failing", (t) => {
  const seen = new Set(liars.flatMap((each) => each.caughtBy));
  assert.deepEqual(
    ids.filter((id) => !seen.has(id)),
    notYetSeenFailing,
  );
  const unknown = [...seen].filter((id) => !ids.includes(id));
  assert.deepEqual(unknown, []);
  assert.ok(liars.every((each) => each.caughtBy.length > 0));
  assert.equal(new Set(liars.map((each) => each.name)).size, liars.length);
  const tries = liars.reduce((sum, each) => sum + triedOn(each).length, 0);
  t.diagnostic(`${liars.length} liars, ${tries} tries, ${seen.size} of ${ids.length} behaviours seen failing`);
});
