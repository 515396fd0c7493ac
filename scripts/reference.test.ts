import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { referenceFile, referencePage } from "./reference.ts";

test("docs/pctl-yaml.md is what the schema says now", () => {
  const hint = "older than the schema: node --conditions=source scripts/reference.ts";
  assert.equal(readFileSync(referenceFile, "utf8"), referencePage(), hint);
});
