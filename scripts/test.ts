// `npm test [-- level… part of a file name…]`: level `unit`, the tests beside the code, then each folder of test/ as a level.
// One summary for all; the counts as JSON in node_modules/.cache/ctrlplane/tests.json.
import { existsSync, globSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { endLeftOver } from "./left-over.ts";
import { TestReport } from "./test-report.ts";

const root = join(import.meta.dirname, "..");
const folders = existsSync(join(root, "test")) ? readdirSync(join(root, "test")).toSorted() : [];
/** What takes an engine that is built first is in `.soak.ts`. */
const ends = process.env["SOAK"] === "1" ? "{test,soak}.ts" : "test.ts";
const levels: Record<string, string[]> = {
  unit: ["packages/**/src/**/*.test.ts", "scripts/*.test.ts", "bench/*.test.ts"],
  ...Object.fromEntries(folders.map((folder) => [folder, [`test/${folder}/**/*.${ends}`]])),
};

const asked = process.argv.slice(2);
const askedLevels = asked.filter((word) => word in levels);
const parts = asked.filter((word) => !(word in levels));
const marker = `ctrlplane-test-${process.pid}`;
// Every process that a test starts inherits it; what still carries it afterwards was left behind.
process.env.CTRLPLANE_TEST_RUN = marker;

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());

const report = new TestReport((file) => relative(root, file));
for (const [level, patterns] of Object.entries(levels)) {
  if (askedLevels.length > 0 && !askedLevels.includes(level)) continue;
  const files = globSync(patterns, { cwd: root, exclude: ["**/node_modules/**", "**/dist/**"] })
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted()
    .map((file) => join(root, file));
  for (const together of [files.filter(isAlone), files.filter((file) => !isAlone(file))])
    if (together.length > 0 && !interruption.signal.aborted) await runLevel(together);
}
for (const left of await endLeftOver(marker)) report.fail(`left running: ${left}`, "ended after the run");
if (interruption.signal.aborted) report.fail("interrupted", "the run ended early");
if (report.isEmpty) report.fail("no test found", asked.join(" "));
report.print();
const results = join(root, "node_modules", ".cache", "ctrlplane", "tests.json");
mkdirSync(dirname(results), { recursive: true });
writeFileSync(results, `${JSON.stringify(report.counts, null, 2)}\n`);
process.exitCode = report.counts.failed === 0 ? 0 : 1;

/** It counts what reaches a host: nothing else may. */
function isAlone(file: string): boolean {
  return file.endsWith("/test/docker/reach.test.ts");
}

async function runLevel(files: string[]): Promise<void> {
  const stream = run({ files, concurrency: 2, execArgv: ["--conditions=source"], signal: interruption.signal });
  // The stream yields what reporters receive; its own type does not say so.
  for await (const event of stream as AsyncIterable<TestEvent>) report.add(event);
}
