// The built `pctl plan` that finds nothing to do, over 1,000 services on the reference platform (a process of its own): time and
// memory of the whole process, reading pctl.yaml included, and what it asked of the platform: pages, never one request
// for each service. `node --conditions=source bench/plan.ts --services N` for another number.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { provider, startReferencePlatform } from "@ctrlplane/provider-reference";
import { openPlane } from "./plane/open-plane.ts";
import { median, report } from "./report.ts";

const { values } = parseArgs({
  options: { services: { type: "string", default: "1000" }, runs: { type: "string", default: "7" } },
});
const services = Number(values.services);
const runs = Number(values.runs);

/** One run of the built `pctl plan`. */
interface Measured {
  readonly wallMs: number;
  /** User and system. */
  readonly cpuMs: number;
  readonly rssMb: number;
}

const folder = mkdtempSync(join(tmpdir(), "pctl-bench-"));
const platform = await startReferencePlatform({ folder: join(folder, "platform") });
const pctl = join(import.meta.dirname, "..", "packages", "cli", "bin", "pctl.js");
const usageFile = join(folder, "usage.json");
// A home of its own: what pctl keeps there (compiled code) is made by the run that warms up.
const env = { ...process.env, HOME: folder, XDG_CACHE_HOME: "", XDG_DATA_HOME: "", BENCH_USAGE: usageFile };

try {
  writeFileSync(join(folder, "platform.mjs"), providerModule());
  writeFileSync(join(folder, "pctl.yaml"), declaration());
  await deployAll();
  const calls = countCalls();
  await platform.harness.resetCounts();
  const measured = Array.from({ length: runs }, measure);
  reportAll(measured, calls, await platform.harness.counts());
} finally {
  await platform.stop();
  rmSync(folder, { recursive: true });
}

/** The reference provider as a user's own, which leaves word of what its process used. */
function providerModule(): string {
  const built = pathToFileURL(join(import.meta.dirname, "../packages/providers/reference/dist/index.js")).href;
  return `import { writeFileSync } from "node:fs";
export { provider } from ${JSON.stringify(built)};
process.on("exit", () => writeFileSync(process.env.BENCH_USAGE, JSON.stringify(process.resourceUsage())));
`;
}

/** Every service with an image of its own; one in ten needs and names its neighbour, one in twenty has a volume. */
function declaration(): string {
  const lines = [
    "name: bench",
    "provider: ref",
    `providers: { ref: { type: ./platform.mjs, options: { socket: ${JSON.stringify(platform.socket)} } } }`,
  ];
  lines.push("services:");
  for (let index = 0; index < services; index += 1) {
    const previous = `s${index - 1}`;
    lines.push(
      `  s${index}:`,
      `    image: app-${index}:1.4`,
      `    env: { LOG_LEVEL: info, NAME: service ${index}${index % 10 === 1 ? `, UP: "\${service:${previous}.url}"` : ""} }`,
      `    ports: [{ containerPort: 8080, hostPort: ${20_000 + index} }]`,
      `    health: { http: /health, interval: 5 }`,
      `    scale: { replica: ${1 + (index % 3)}, cpu: 250m, memory: 128Mi }`,
      ...(index % 20 === 3 ? [`    volumes: [{ path: /data }]`] : []),
    );
  }
  return `${lines.join("\n")}\n`;
}

async function deployAll(): Promise<void> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const reference = provider.create({ socket: platform.socket }, { name: "ref", folder, env: {} });
  const { plane, deploy } = openPlane(folder, reference, { parallel: 32 });
  await deploy();
  await plane.close();
  const { user, system } = process.cpuUsage(before);
  const [wallMs, cpuMs] = [performance.now() - startedAt, (user + system) / 1000].map(Math.round);
  process.stdout.write(`${services} services deployed in ${wallMs} ms, ${cpuMs} ms of processor time of the engine\n`);
}

function measure(): Measured {
  const startedAt = performance.now();
  plan();
  const wallMs = performance.now() - startedAt;
  // What the provider's module wrote.
  const usage = JSON.parse(readFileSync(usageFile, "utf8")) as NodeJS.ResourceUsage;
  return { wallMs, cpuMs: (usage.userCPUTime + usage.systemCPUTime) / 1000, rssMb: usage.maxRSS / 1024 };
}

/** Calls of the provider and its ledger by name, as the control plane counts them. */
function countCalls(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, name = ""] of plan("--debug").matchAll(/ call (\S+)$/gm)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Returns what it wrote to stderr. */
function plan(...options: string[]): string {
  const args = [pctl, "plan", ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
  if (status !== 0 || !stdout.includes("Nothing to do"))
    throw new Error(`${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  return stderr;
}

function reportAll(
  measured: readonly Measured[],
  calls: ReadonlyMap<string, number>,
  requests: Readonly<Record<string, number>>,
): void {
  const of = (key: keyof Measured): number => median(measured.map((each) => each[key]));
  const asked = Object.entries(requests).map(([name, count]) => [name, count / runs] as const);
  const list = (counts: readonly (readonly [string, number])[]): string =>
    counts.map(([name, count]) => `${name} ${count}`).join(", ");
  process.stdout.write(`calls: ${list([...calls])}\nrequests that the platform saw: ${list(asked)}\n`);
  const over = `no-op plan, ${services} services`;
  const total = asked.reduce((all, [, count]) => all + count, 0);
  report(import.meta.filename, [
    { name: `${over}: whole process`, value: of("wallMs"), unit: "ms", goal: { atMost: 2000 } },
    { name: `${over}: processor time, user and system`, value: of("cpuMs"), unit: "ms" },
    { name: `${over}: largest memory (RSS)`, value: of("rssMb"), unit: "MB", goal: { atMost: 250 } },
    { name: `${over}: requests to the platform`, value: total, unit: "requests", goal: { atMost: 8 + services / 500 } },
  ]);
}
