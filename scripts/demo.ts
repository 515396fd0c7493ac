// `npm run demo [-- --keep]`: examples/demo on the embedded `local` provider, with the built pctl, in a folder of its own.
// Every `$` line is run as it stands there; what is claimed is checked, and the demo ends with code 1 if it did not hold.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { Load } from "./demo-load.ts";
import { Pctl } from "./demo-pctl.ts";

const keep = process.argv.includes("--keep");
const folder = mkdtempSync(join(tmpdir(), "pctl-demo-"));
const project = join(folder, "project");
cpSync(join(import.meta.dirname, "..", "examples", "demo"), project, { recursive: true });
const port = await freePort();
const url = `http://127.0.0.1:${port}/`;
// Nothing of the demo touches the user's own stacks, keys or settings.
const pctl = new Pctl(project, {
  PCTL_LOCAL_DIR: join(folder, "local"),
  XDG_CONFIG_HOME: join(folder, "config"),
  DEMO_PORT: String(port),
});
let failures = 0;
let interrupted = false;
process.on("SIGINT", () => (interrupted = true)).on("SIGTERM", () => (interrupted = true));

const steps: [title: string, step: () => Promise<void>][] = [
  ["Three services come up", deployFirst],
  ["A changed file is deployed while requests run", deployUnderLoad],
  ["A broken version fails, and the old one serves", deployBroken],
  ["Back to the first version", rollBack],
  ["pctl is killed in the middle; the next deploy finishes", killAndDeployAgain],
];
try {
  for (const [title, step] of steps) {
    // What follows builds on what came before.
    if (interrupted || failures > 0) break;
    process.stdout.write(`\n${styleText("bold", `── ${title}`)}\n`);
    await step();
  }
} finally {
  await cleanUp();
}
process.stdout.write(failures === 0 ? "\nEverything held.\n" : `\n${failures} did not hold.\n`);
process.exitCode = interrupted ? 130 : failures === 0 ? 0 : 1;

async function deployFirst(): Promise<void> {
  const code = await pctl.run(["deploy"]);
  expect(`deploy ends with 0 (${code})`, code === 0);
  await expectVersion("1");
  await pctl.run(["status"]);
}

async function deployUnderLoad(): Promise<void> {
  change("web/version.txt", "2\n");
  const load = new Load(url, 100);
  const code = await pctl.run(["deploy", "web", "-m", "version 2"]);
  const { sent, failed, answers } = await load.end();
  const both = ["1", "2"].every((version) => answers.some((answer) => answer.startsWith(`version ${version},`)));
  expect(`deploy ends with 0 (${code})`, code === 0);
  expect(`${sent} requests sent meanwhile, ${failed.length} failed ${failed[0] ?? ""}`.trimEnd(), failed.length === 0);
  expect("version 1 answered at first, version 2 in the end", both);
}

async function deployBroken(): Promise<void> {
  change("web/server.js", 'throw new Error("Cannot reach the checkout");\n');
  const load = new Load(url, 100);
  const code = await pctl.run(["deploy"]);
  const { sent, failed } = await load.end();
  expect(`deploy ends with 3: failed, and back on the old release (${code})`, code === 3);
  expect(`${sent} requests sent meanwhile, ${failed.length} failed ${failed[0] ?? ""}`.trimEnd(), failed.length === 0);
  await expectVersion("2");
  cpSync(join(import.meta.dirname, "..", "examples", "demo", "web", "server.js"), join(project, "web", "server.js"));
}

async function rollBack(): Promise<void> {
  const code = await pctl.run(["rollback", "--change", "2", "--yes"]);
  expect(`rollback ends with 0 (${code})`, code === 0);
  await expectVersion("1");
  await pctl.run(["history"]);
}

async function killAndDeployAgain(): Promise<void> {
  change("web/version.txt", "3\n");
  const reached = await pctl.killWhen(["deploy"], "replica.created");
  expect(`killed with -9 after its event ${reached ?? "(none was seen)"}`, reached !== undefined);
  const code = await pctl.run(["deploy"]);
  expect(`the next plain deploy ends with 0 (${code})`, code === 0);
  await expectVersion("3");
  const again = await pctl.run(["plan", "--exit-code"]);
  expect(`nothing is left to do (plan --exit-code: ${again})`, again === 0);
}

async function cleanUp(): Promise<void> {
  if (keep) {
    process.stdout.write(`\nKept: ${url} and ${project}. There:\n  ${pctl.shellLine}\n`);
    return;
  }
  process.stdout.write(`\n${styleText("bold", "── And away again")}\n`);
  const code = await pctl.run(["destroy", "--yes", "--remove", "store", "--volumes"]);
  expect(`destroy ends with 0 (${code})`, code === 0);
  const stopped = await pctl.run(["local", "stop", "--yes"]);
  expect(`local stop ends with 0 (${stopped})`, stopped === 0);
  if (code === 0 && stopped === 0) rmSync(folder, { recursive: true, force: true });
  else process.stdout.write(`  kept for a look: ${folder}\n`);
}

function change(file: string, text: string): void {
  process.stdout.write(styleText("dim", `$ echo ${JSON.stringify(text.trimEnd())} > ${file}\n`));
  writeFileSync(join(project, file), text);
}

async function expectVersion(version: string): Promise<void> {
  process.stdout.write(styleText("dim", `$ curl ${url}\n`));
  const answer = await fetch(url).then((response) => response.text(), String);
  process.stdout.write(answer.endsWith("\n") ? answer : `${answer}\n`);
  expect(`version ${version} answers`, answer.startsWith(`version ${version},`));
}

function expect(claim: string, holds: boolean): void {
  if (!holds) failures += 1;
  process.stdout.write(holds ? styleText("green", `  ✓ ${claim}\n`) : styleText("red", `  ✗ ${claim}\n`));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
