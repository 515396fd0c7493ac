import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { conformance } from "@ctrlplane/conformance";
import { harness } from "@ctrlplane/provider-reference/conformance";
import { unlikePage } from "../../scripts/conformance-page.ts";

const { report } = conformance({ name: "reference", harness, runner: { describe, test } });

test("docs/conformance.md says of reference what was seen", async (context) => {
  const hint = "older than the provider: node --conditions=source scripts/conformance-page.ts";
  const seen = await report();
  context.diagnostic(`engine used: ${seen.provider}, ${seen.provenBy}`);
  assert.deepEqual(unlikePage(seen), [], hint);
});
