import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { conformance } from "@ctrlplane/conformance";
import { deviations, harness } from "../../examples/provider/conformance.ts";

const { report } = conformance({ name: "examples/provider", harness, deviations, runner: { describe, test } });

test("what is refused is what files do not have", async () => {
  const { counts } = await report();
  assert.ok(counts.holds >= 110, `${counts.holds} hold`);
  assert.equal(counts.deviates, 1);
});
