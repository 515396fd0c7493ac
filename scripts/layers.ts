// The layer rules of ARCHITECTURE.md as a table, and what breaks them. `npm run check` fails on each line found.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { parseSync, Visitor } from "oxc-parser";

/** One line of source that breaks a rule; `file` is relative to the root. */
export interface Violation {
  file: string;
  line: number;
  problem: string;
}

/** Layers of `packages/core/src` by path; the longest path that fits names the layer. A file outside of them is a violation. */
const layerOfPath: Record<string, string> = {
  "errors/": "errors",
  "model/": "model",
  "rollout/journal.ts": "rollout ports",
  "rollout/replica-driver.ts": "rollout ports",
  "rollout/revision-driver.ts": "rollout ports",
  "rollout/with-signal.ts": "rollout ports",
  "provider/": "contract",
  "provider/machine-": "machines",
  "provider/index.ts": "entry",
  "rollout/": "rollout",
  "state/": "state",
  "config/": "config",
  "plan/": "plan",
  "apply/": "apply",
  "platforms/": "platforms",
  "control-plane.ts": "engine",
  "engine/": "engine",
  "engine.ts": "engine",
  "create-control-plane.ts": "engine",
  "instances.ts": "engine",
  "deployments.ts": "engine",
  "index.ts": "entry",
};

const belowContract = ["errors", "model"];
const ports = [...belowContract, "contract", "rollout ports"];

/** What each layer may import besides itself. `contract` and `rollout ports` are one layer in two folders. */
const mayImport: Record<string, string[]> = {
  errors: [],
  model: ["errors"],
  contract: ports,
  "rollout ports": ports,
  state: ports,
  rollout: ports,
  machines: [...ports, "rollout"],
  config: [...ports, "state"],
  plan: [...ports, "state"],
  platforms: [...ports, "state"],
  apply: [...ports, "state", "rollout", "plan", "platforms"],
  engine: [...ports, "state", "rollout", "machines", "platforms", "config", "plan", "apply"],
  entry: Object.values(layerOfPath),
};

/** Packages of ours that a package may import, by its folder. Every package may import itself by relative path. */
const packageRules: { folder: string; mayImport: string[]; testsMayImport?: string[] }[] = [
  { folder: "packages/core", mayImport: [], testsMayImport: ["@ctrlplane/provider-reference", "@ctrlplane/core"] },
  { folder: "packages/images", mayImport: ["@ctrlplane/core/provider"] },
  { folder: "packages/conformance", mayImport: ["@ctrlplane/core/provider"] },
  { folder: "packages/providers/eks", mayImport: providerImports("@ctrlplane/provider-kubernetes") },
  { folder: "packages/providers/gke", mayImport: providerImports("@ctrlplane/provider-kubernetes") },
  { folder: "packages/providers/reference", mayImport: providerImports("@ctrlplane/conformance") },
  { folder: "packages/providers/", mayImport: providerImports(), testsMayImport: ["@ctrlplane/conformance"] },
  { folder: "packages/cli", mayImport: ["@ctrlplane/"] },
  { folder: "packages/server", mayImport: ["@ctrlplane/"] },
];

function providerImports(...further: string[]): string[] {
  return ["@ctrlplane/core/provider", "@ctrlplane/images", ...further];
}

/** The core is embedded: it serves nothing, reads no terminal, and its host alone decides about the process. */
const closedToCore = /^node:(http|https|http2|readline|readline\/promises|tty|repl|cluster|console|process)$/;
const closedProcessMembers = /^(exit|exitCode|abort|on|once|addListener|prependListener|stdin|stdout|stderr)$/;

/** All violations in the packages under `root`, sorted by file. */
export function findViolations(root: string): Violation[] {
  const files = globSync("packages/**/src/**/*.ts", { cwd: root, exclude: ["**/node_modules", "**/dist"] }).toSorted();
  return files.flatMap((file) => checkFile(root, file.split(sep).join("/")));
}

function checkFile(root: string, file: string): Violation[] {
  const text = readFileSync(join(root, file), "utf8");
  const found: Violation[] = [];
  const report = (offset: number, problem: string) =>
    found.push({ file, line: text.slice(0, offset).split("\n").length, problem });
  const isCore = file.startsWith("packages/core/src/");
  const isTest = isOfTests(file);
  const visitImport = (source: unknown, offset: number) => {
    if (!isLiteral(source)) return;
    const problem = source.value.startsWith(".")
      ? checkRelative(file, source.value)
      : (checkPackage(file, source.value, isTest) ??
        (isCore && !isTest && closedToCore.test(source.value) ? `core must not import ${source.value}` : undefined));
    if (problem !== undefined) report(offset, problem);
  };
  new Visitor({
    ImportDeclaration: (node) => visitImport(node.source, node.start),
    ExportNamedDeclaration: (node) => visitImport(node.source, node.start),
    ExportAllDeclaration: (node) => visitImport(node.source, node.start),
    ImportExpression: (node) => visitImport(node.source, node.start),
    TSImportType: (node) => visitImport(node.source, node.start),
    MemberExpression: (node) => {
      if (!isCore || isTest || node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
      const { name } = node.property;
      if (node.object.name === "console") report(node.start, `core must not use console.${name}`);
      if (node.object.name === "process" && closedProcessMembers.test(name)) {
        report(node.start, `core must not use process.${name}`);
      }
    },
  }).visit(parseSync(file, text).program);
  return found;
}

/** Tests and what only they use: `name.test.ts`, `name.test.support.ts`, folders called `testing`. */
function isOfTests(file: string): boolean {
  return file.includes(".test.") || file.includes("/testing/");
}

function isLiteral(source: unknown): source is { value: string } {
  return typeof source === "object" && source !== null && "value" in source && typeof source.value === "string";
}

function checkRelative(file: string, request: string): string | undefined {
  const home = file.slice(0, file.indexOf("/src/") + "/src/".length);
  const target = normalize(join(dirname(file), request))
    .split(sep)
    .join("/");
  // A package's own manifest is its own.
  if (!target.startsWith(home)) {
    return target === `${home.slice(0, -"src/".length)}package.json` ? undefined : `leaves its package: ${request}`;
  }
  if (home !== "packages/core/src/" || isOfTests(file)) return undefined;
  const from = layerOf(file.slice(home.length));
  const to = layerOf(target.slice(home.length));
  if (from === undefined) return "stands in no layer: name one for it in scripts/layers.ts";
  if (to === undefined || from === to || mayImport[from]?.includes(to) === true) return undefined;
  return `${from} must not import ${to} (${request})`;
}

function layerOf(path: string): string | undefined {
  const fitting = Object.keys(layerOfPath).filter((prefix) => path.startsWith(prefix));
  return layerOfPath[fitting.toSorted((a, b) => b.length - a.length)[0] ?? ""];
}

function checkPackage(file: string, request: string, isTest: boolean): string | undefined {
  if (!request.startsWith("@ctrlplane/")) return undefined;
  const rule = packageRules.find((each) => file.startsWith(each.folder));
  if (rule === undefined) return "stands in no known package: name it in scripts/layers.ts";
  const allowed = [...rule.mayImport, ...(isTest ? (rule.testsMayImport ?? []) : [])];
  if (allowed.some((each) => (each.endsWith("/") ? request.startsWith(each) : request === each))) return undefined;
  return `${rule.folder.replace(/\/$/, "")} must not import ${request}`;
}

if (import.meta.main) {
  const violations = findViolations(process.argv[2] ?? join(import.meta.dirname, ".."));
  for (const { file, line, problem } of violations) process.stdout.write(`${file}:${line}: ${problem}\n`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
