// `npm run check [-- step…]`: everything about the source that a machine can judge. Runs all steps, then says which failed.
import { spawn } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

const steps: Record<string, string[]> = {
  format: [bin("prettier"), "--check", "--log-level=warn", "--cache", "."],
  types: [bin("tsc"), "-b"],
  lint: [bin("oxlint"), "--deny-warnings", "--format=unix"],
  layers: [process.execPath, join(root, "scripts", "layers.ts")],
  "dead-code": [bin("knip"), "--no-config-hints"],
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in steps));
if (unknown.length > 0) {
  process.stderr.write(`check: no step ${unknown.join(", ")}; there are ${Object.keys(steps).join(" ")}\n`);
  process.exit(1);
}
const failed: string[] = [];
for (const [name, command] of Object.entries(steps)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const startedAt = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? "✓" : "✗"} ${name.padEnd(10)} ${seconds} s\n`);
  if (code === 0) continue;
  failed.push(name);
  process.stdout.write(`${output.trimEnd()}\n\n`);
}
if (failed.length > 0) {
  process.stdout.write(`check failed: ${failed.join(", ")}\n`);
  process.exitCode = 1;
}

async function run([file = "", ...args]: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output: output.join("") }));
  });
}
