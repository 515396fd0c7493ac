// What .ci/run runs once everything is installed and built: the check, the tests, and one last line with the counts.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestCounts } from "./test-report.ts";

const root = join(import.meta.dirname, "..");
const results = join(root, "node_modules", ".cache", "ctrlplane", "tests.json");

const failures: string[] = [];
for (const engine of ["docker.ts", "hosts.ts"]) {
  if (bringUp(engine) !== 0) failures.push(`engine missing: test/engines/${engine} up`);
}
if (process.platform !== "linux") failures.push("engine missing: Linux, for the local provider");
if (run("check.ts") !== 0) failures.push("npm run check");
rmSync(results, { force: true });
const testsCode = run("test.ts");
const counts = readCounts();
for (const { name, reason } of counts.skipped) {
  if (reason.startsWith("missing: ")) failures.push(`engine ${reason}, for ${name}`);
}
if (testsCode !== 0 && counts.failed === 0) failures.push("npm test ended early");

for (const failure of failures) process.stdout.write(`failed: ${failure}\n`);
const failed = counts.failed + failures.length;
process.stdout.write(`${counts.passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && counts.passed > 0 ? 0 : 1;

function run(script: string): number {
  const args = ["--conditions=source", join(root, "scripts", script)];
  return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}

/** An engine of test/engines; it stays up for the next run. */
function bringUp(engine: string): number {
  const args = ["--conditions=source", join(root, "test", "engines", engine), "up"];
  return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}

/** The runner writes them last; without them it did not get so far. */
function readCounts(): Pick<TestCounts, "passed" | "failed" | "skipped"> {
  try {
    return JSON.parse(readFileSync(results, "utf8")) as TestCounts;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { passed: 0, failed: 0, skipped: [] };
    throw error;
  }
}
