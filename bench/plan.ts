// The built `pctl plan` that finds nothing to do, over 1,000 and over 10,000 services on the reference platform (a process of its
// own): time and memory of the whole process, reading pctl.yaml included, what it asked of the platform (pages, never one
// request for each service), and whether ten times the services take ten times the work. QUICK=1: over 1,000 alone.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { provider, startReferencePlatform } from "@ctrlplane/provider-reference";
import { openPlane } from "./plane/open-plane.ts";
import { median, report, type Row } from "./report.ts";

const runs = 5;
const sizes = process.env.QUICK === undefined ? [1_000, 10_000] : [1_000];

/** One run of the built `pctl plan`. */
interface Measured {
  readonly wallMs: number;
  /** User and system. */
  readonly cpuMs: number;
  readonly rssMb: number;
}

/** What came out for one number of services. */
interface Sized {
  readonly services: number;
  readonly median: Measured;
  readonly requests: number;
}

const pctl = join(import.meta.dirname, "..", "packages", "cli", "bin", "pctl.js");
const sized: Sized[] = [];
for (const services of sizes) sized.push(await measureAt(services));
report(import.meta.filename, [...sized.flatMap(figuresOf), ...growth(sized)]);

async function measureAt(services: number): Promise<Sized> {
  const folder = mkdtempSync(join(tmpdir(), "pctl-bench-"));
  const platform = await startReferencePlatform({ folder: join(folder, "platform") });
  try {
    writeFileSync(join(folder, "platform.mjs"), providerModule());
    writeFileSync(join(folder, "pctl.yaml"), declaration(services, platform.socket));
    await deployAll(services, folder, platform.socket);
    const calls = countCalls(folder);
    await platform.harness.resetCounts();
    const measured = Array.from({ length: runs }, () => measure(folder));
    const asked = Object.entries(await platform.harness.counts()).map(([name, count]) => [name, count / runs] as const);
    process.stdout.write(`calls: ${listOf([...calls])}\nrequests that the platform saw: ${listOf(asked)}\n`);
    const of = (key: keyof Measured): number => median(measured.map((each) => each[key]));
    return {
      services,
      median: { wallMs: of("wallMs"), cpuMs: of("cpuMs"), rssMb: of("rssMb") },
      requests: asked.reduce((all, [, count]) => all + count, 0),
    };
  } finally {
    await platform.stop();
    rmSync(folder, { recursive: true });
  }
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
function declaration(services: number, socket: string): string {
  const lines = [
    "name: bench",
    "provider: ref",
    `providers: { ref: { type: ./platform.mjs, options: { socket: ${JSON.stringify(socket)} } } }`,
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

async function deployAll(services: number, folder: string, socket: string): Promise<void> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const reference = provider.create({ socket }, { name: "ref", folder, env: {} });
  const { plane, deploy } = openPlane(folder, reference, { parallel: 32 });
  await deploy();
  await plane.close();
  const { user, system } = process.cpuUsage(before);
  const [wallMs, cpuMs] = [performance.now() - startedAt, (user + system) / 1000].map(Math.round);
  process.stdout.write(`${services} services deployed in ${wallMs} ms, ${cpuMs} ms of processor time of the engine\n`);
}

function measure(folder: string): Measured {
  const startedAt = performance.now();
  plan(folder);
  const wallMs = performance.now() - startedAt;
  // What the provider's module wrote.
  const usage = JSON.parse(readFileSync(usageOf(folder), "utf8")) as NodeJS.ResourceUsage;
  return { wallMs, cpuMs: (usage.userCPUTime + usage.systemCPUTime) / 1000, rssMb: usage.maxRSS / 1024 };
}

/** Calls of the provider and its ledger by name, as the control plane counts them. */
function countCalls(folder: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, name = ""] of plan(folder, "--debug").matchAll(/ call (\S+)$/gm))
    counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Returns what it wrote to stderr. */
function plan(folder: string, ...options: string[]): string {
  const args = [pctl, "plan", ...options];
  // A home of its own: what pctl keeps there (compiled code) is made by the run that warms up.
  const home = { HOME: folder, XDG_CACHE_HOME: "", XDG_DATA_HOME: "", BENCH_USAGE: usageOf(folder) };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...home },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0 || !stdout.includes("Nothing to do"))
    throw new Error(`${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  return stderr;
}

function usageOf(folder: string): string {
  return join(folder, "usage.json");
}

function listOf(counts: readonly (readonly [string, number])[]): string {
  return counts.map(([name, count]) => `${name} ${count}`).join(", ");
}

function figuresOf({ services, median: { wallMs, cpuMs, rssMb }, requests }: Sized): Row[] {
  const over = `no-op plan, ${services} services`;
  const cost: Row[] = [
    { name: `${over}: whole process`, value: wallMs, unit: "ms", goal: { atMost: 2000 } },
    { name: `${over}: processor time, user and system`, value: cpuMs, unit: "ms" },
    { name: `${over}: largest memory (RSS)`, value: rssMb, unit: "MB", goal: { atMost: 250 } },
  ];
  const pages = { atMost: 8 + services / 400 };
  return [
    ...(services === sizes[0] ? cost : []),
    { name: `${over}: requests to the platform`, value: requests, unit: "requests", goal: pages },
  ];
}

/** Ten times the services may take ten times the work, and no more. */
function growth([small, large]: readonly Sized[]): Row[] {
  if (small === undefined || large === undefined) return [];
  const times = large.services / small.services;
  const of = (what: string, key: keyof Measured, unit = "ms"): Row => ({
    name: `no-op plan, ${large.services} services: ${what}`,
    value: large.median[key],
    unit,
    baseline: { name: `${small.services} services`, value: small.median[key] },
    goal: { atMost: times },
  });
  return [of("whole process", "wallMs"), of("processor time", "cpuMs"), of("largest memory (RSS)", "rssMb", "MB")];
}
