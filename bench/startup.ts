// What pctl adds to the start of Node itself: `--version` and `--help` against `node -e 0`, interleaved so that a busy
// machine slows all three alike; the median of 15 runs each.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median, report } from "./report.ts";

const runs = 15;
const pctl = join(import.meta.dirname, "..", "packages", "cli", "bin", "pctl.js");
const commands = { node: ["-e", "0"], version: [pctl, "--version"], help: [pctl, "--help"] };

const times = { node: [] as number[], version: [] as number[], help: [] as number[] };
// The first round fills the compile cache and the file cache, and is not counted.
for (let run = -1; run < runs; run += 1) {
  for (const name of ["node", "version", "help"] as const) {
    const elapsedMs = measure(commands[name]);
    if (run >= 0) times[name].push(elapsedMs);
  }
}
const baseline = { name: "node -e 0", value: median(times.node) };
report(import.meta.filename, [
  { name: "pctl --version", value: median(times.version), unit: "ms", baseline, goal: { atMost: 1.3 } },
  { name: "pctl --help", value: median(times.help), unit: "ms", baseline, goal: { atMost: 1.3 } },
]);

function measure(args: string[]): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}
