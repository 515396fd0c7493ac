// `npm run bench [-- --write] [name…]`: every bench/*.ts in a process of its own, one after another, so that none disturbs another.
// Each reports for itself; all results together stand in bench/results/all.json. `--write` puts them into docs/performance.md
// too, in the place of those of the same name.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { format } from "prettier";
import { withFigures } from "./docs/figures.ts";
import type { Result } from "./report.ts";

const folder = import.meta.dirname;
const results = join(folder, "results");
const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { write: { type: "boolean", default: false } },
});
const names = globSync("*.ts", { cwd: folder })
  .map((file) => basename(file, ".ts"))
  .filter((name) => name !== "run" && name !== "report" && !name.endsWith(".test"))
  .filter((name) => asked.length === 0 || asked.includes(name))
  .toSorted();
if (names.length === 0) {
  process.stderr.write(`bench: none is called ${asked.join(", ")}\n`);
  process.exit(1);
}
// What was not asked for keeps the figures of its last run.
if (asked.length === 0) rmSync(results, { recursive: true, force: true });
else for (const name of names) rmSync(join(results, `${name}.json`), { force: true });
rmSync(join(results, "all.json"), { force: true });
const failed = names.filter((name) => {
  const args = ["--conditions=source", join(folder, `${name}.ts`)];
  return spawnSync(process.execPath, args, { stdio: "inherit" }).status !== 0;
});
const all = globSync("*.json", { cwd: results })
  .toSorted()
  .map((file) => JSON.parse(readFileSync(join(results, file), "utf8")) as Result);
if (all.length > 0) writeFileSync(join(results, "all.json"), `${JSON.stringify(all, null, 2)}\n`);
if (values.write) {
  const page = join(folder, "..", "docs", "performance.md");
  const text = withFigures(readFileSync(page, "utf8"), all);
  writeFileSync(page, await format(text, { parser: "markdown", printWidth: 120 }));
}
process.stdout.write(
  failed.length === 0 ? `\nall goals met; bench/results/all.json\n` : `\nmissed or broken: ${failed.join(", ")}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
