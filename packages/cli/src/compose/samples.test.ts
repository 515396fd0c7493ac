import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { fromCompose } from "../init/from-compose.ts";
import { plain } from "../output/paint.ts";
import { renderTranslation } from "../output/translation.ts";

// Made anew in each folder by `pctl init --from FILE --force > report.txt`, without its last line.
const samples = join(import.meta.dirname, "samples");

for (const file of globSync("*/*compose.y*ml", { cwd: samples }).toSorted()) {
  const folder = join(samples, dirname(file));
  const from = basename(file);
  test(`${dirname(file)}: what is written, and what is said`, async () => {
    const target = join(folder, "pctl.yaml");
    const made = await fromCompose({ from, cwd: folder, folder, env: {} }, target);
    assert.equal(made.text, readFileSync(target, "utf8"));
    const report = renderTranslation(made, from, "pctl.yaml", plain).join("\n");
    assert.equal(`${report}\n`, readFileSync(join(folder, "report.txt"), "utf8"));
  });
}
