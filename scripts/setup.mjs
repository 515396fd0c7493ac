// Brings a fresh clone to where a script of the project can run, then runs it: `node scripts/setup.mjs [script] [words…]`.
// Installs what the lockfile names and node_modules lacks, a current Node included; builds when a source changed.
// Runs on Node 20 and has no dependency. When nothing is missing it only compares and looks, in a few milliseconds.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const platformNode = join(modules, `node-${process.platform}-${process.arch}`, "bin", "node");

main(process.argv.slice(2));

function main([script, ...words]) {
  install();
  const node = findNode();
  build(node);
  if (script !== undefined) run(node, script, words);
}

/** Installs by the lockfile if node_modules lacks anything of it. */
function install() {
  const missing = findMissing();
  if (missing === undefined) return;
  say(`installing (${missing})`);
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  // With modules in place, only what differs is fetched; `npm ci` starts from nothing.
  if (existsSync(join(modules, ".package-lock.json"))) npm(["install", "--no-save", ...quiet]);
  else npm(["ci", ...quiet]);
  linkNode();
  const still = findMissing();
  if (still !== undefined) fail(`still missing after npm: ${still}. Remove node_modules and try again.`);
}

/** What the lockfile wants and node_modules lacks, in words; undefined when nothing. */
function findMissing() {
  const wanted = readPackages(join(root, "package-lock.json"));
  if (wanted === undefined) fail("package-lock.json is missing: this is not a complete clone.");
  const present = readPackages(join(modules, ".package-lock.json"));
  if (present === undefined) return "nothing is installed yet";
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith("node_modules/")) continue;
    const found = present[path];
    if (found === undefined ? entry.optional !== true : found.version !== entry.version) {
      return `${path.slice("node_modules/".length)} ${entry.version ?? ""}`.trim();
    }
    if (entry.link === true && !existsSync(join(root, path, "package.json"))) return path;
  }
  if (!existsSync(join(modules, ".bin", "pctl"))) return "pctl is not linked";
  linkNode();
  return undefined;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** npm 10 unlinks `node` again when it drops the package of another processor. */
function linkNode() {
  const link = join(modules, ".bin", "node");
  if (!existsSync(platformNode) || existsSync(link)) return;
  rmSync(link, { force: true });
  symlinkSync(join("..", `node-${process.platform}-${process.arch}`, "bin", "node"), link);
}

/** The Node that runs the project: the one of the lockfile, else this one if it is new enough. */
function findNode() {
  if (existsSync(platformNode)) return platformNode;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  return fail(`no Node for ${process.platform}-${process.arch} comes with the project; install Node 22.18 or newer.`);
}

/**
 * Makes the declarations (`tsc -b`) and what runs (`bundle.ts`) if a source, a manifest or a setting differs from those of the
 * last build, or if a file of it is gone.
 */
function build(node) {
  const stamp = join(modules, ".cache", "ctrlplane", "built");
  const sources = findSources();
  const state = createHash("sha256")
    .update(sources.map((file) => `${file.path} ${file.mtimeMs} ${file.size}`).join("\n"))
    .digest("hex");
  const [built, ...files] = existsSync(stamp) ? readFileSync(stamp, "utf8").trim().split("\n") : [];
  if (built === state && files.every((file) => existsSync(join(root, file)))) return;
  removeStaleDeclarations(new Set(sources.map((file) => file.path)));
  const tsc = spawnSync(
    node,
    [join(modules, "typescript", "bin", "tsc"), "-b", "packages/cli", "packages/providers/reference"],
    { cwd: root, stdio: "inherit" },
  );
  if (tsc.status !== 0) fail("the build failed.");
  const bundle = spawnSync(node, [join(root, "scripts", "bundle.ts")], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (bundle.status !== 0) fail("the build failed.");
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, `${state}\n${bundle.stdout}`);
}

function findSources() {
  const packages = [
    "packages/core",
    "packages/conformance",
    "packages/images",
    "packages/cli",
    ...list("packages/providers").map((name) => `packages/providers/${name}`),
  ];
  const files = ["package-lock.json", "tsconfig.json", "tsconfig.base.json", "scripts/bundle.ts"];
  for (const folder of packages) {
    files.push(join(folder, "package.json"), join(folder, "tsconfig.json"));
    for (const name of list(join(folder, "src"), true)) if (name.endsWith(".ts")) files.push(join(folder, "src", name));
  }
  return files.sort().map((path) => {
    const { mtimeMs, size } = statSync(join(root, path));
    return { path, mtimeMs, size };
  });
}

function list(folder, recursive = false) {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder), { recursive }) : [];
}

/** Declarations whose source is gone; `bundle.ts` does the same for what runs. */
function removeStaleDeclarations(sources) {
  for (const folder of new Set([...sources].flatMap((file) => file.split("/src/").slice(0, -1)))) {
    for (const name of list(join(folder, "dist"), true)) {
      const source = join(folder, "src", name.replace(/\.d\.ts$/, ".ts"));
      if (name.endsWith(".d.ts") && !sources.has(source)) rmSync(join(root, folder, "dist", name), { force: true });
    }
  }
}

function npm(words) {
  // Under `npm test` this is the npm, and the Node, that the user called: neither is removed by what it installs.
  const npmCli = process.env.npm_execpath?.endsWith(".js") ? process.env.npm_execpath : undefined;
  const [file, args] = npmCli
    ? [process.env.npm_node_execpath ?? process.execPath, [npmCli, ...words]]
    : ["npm", words];
  const done = spawnSync(file, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (done.error?.code === "ENOENT") fail("npm was not found. It comes with Node.");
  if (done.status !== 0) fail(`npm ${words[0]} failed; its words stand above.`);
}

function run(node, script, words) {
  const env = { ...process.env, PATH: `${join(modules, ".bin")}:${process.env.PATH ?? ""}` };
  const args = ["--conditions=source", join(root, script), ...words];
  const child = spawn(node, args, { cwd: process.cwd(), stdio: "inherit", env });
  const forward = (signal) => child.kill(signal);
  process.on("SIGINT", leaveToTerminal).on("SIGTERM", forward).on("SIGHUP", forward);
  child.on("exit", (code, signal) => {
    process.off("SIGINT", leaveToTerminal).off("SIGTERM", forward).off("SIGHUP", forward);
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

/** Ctrl-C reaches the child by the terminal; sent on from here it would arrive twice. */
function leaveToTerminal() {}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
