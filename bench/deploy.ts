// 50 services (a small Node HTTP server each, behind a host port) deployed on `local` by the built pctl from nothing, supervisor
// and gateway not running yet, against a bare script that starts each under an equal shim and waits for its port, as many
// at a time. And what a shim costs. The two alternate, so that a busy machine slows both alike; medians.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median, report } from "./report.ts";
import { processesOf, sumOf, type ProcessSample } from "./deploy/processes.ts";

const { values } = parseArgs({
  options: { services: { type: "string", default: "50" }, runs: { type: "string", default: "5" } },
});
const services = Number(values.services);
const runs = Number(values.runs);
/** The engine's default for one provider. */
const parallel = 8;
const firstPort = 23_000;

interface Measured {
  readonly wallMs: number;
  /** Processor time of pctl or of the script, by its own account. */
  readonly clientMs: number;
  /** What runs afterwards, by role. */
  readonly processes: readonly ProcessSample[];
}

const root = mkdtempSync(join(tmpdir(), "pctl-bench-"));
const image = join(root, "app");
const pctl = join(import.meta.dirname, "..", "packages", "cli", "bin", "pctl.js");
/** Compiled code is kept between runs, as on anybody's machine. */
const home = join(root, "home");

try {
  mkdirSync(image);
  mkdirSync(home);
  writeFileSync(join(image, "server.mjs"), server());
  const deployed: Measured[] = [];
  const bare: Measured[] = [];
  for (let run = -1; run < runs; run += 1) {
    const [one, other] = [await runBare(run), await runPctl(run)];
    // The first round warms up, and is not counted.
    if (run >= 0) bare.push(one);
    if (run >= 0) deployed.push(other);
  }
  reportAll(deployed, bare);
} finally {
  // What a round that failed left behind.
  for (const { pid } of processesOf(root)) process.kill(pid, "SIGKILL");
  rmSync(root, { recursive: true, force: true });
}

function server(): string {
  return `import { createServer } from "node:http";
createServer((request, response) => response.end("ok")).listen(Number(process.env.PORT));
process.on("SIGTERM", () => process.exit(0));
`;
}

async function runBare(run: number): Promise<Measured> {
  const folder = join(root, `bare${run}`);
  mkdirSync(folder);
  const startedAt = performance.now();
  const args = [join(import.meta.dirname, "deploy", "bare.mjs"), folder, image, String(services), String(parallel)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const wallMs = performance.now() - startedAt;
  const processes = processesOf(folder);
  const clientMs = sumOf(processes, "client", "cpuMs");
  await endAll(folder, processes);
  return { wallMs, clientMs, processes };
}

async function runPctl(run: number): Promise<Measured> {
  const folder = join(root, `stack${run}`);
  const dir = join(root, `data${run}`);
  const usageFile = join(root, "usage.json");
  mkdirSync(folder);
  writeFileSync(join(folder, "pctl.yaml"), declaration());
  // Certificates named there would be read by each Node of ours and by no server of the script, which gives them PATH and PORT alone.
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const environment = { ...inherited, HOME: home, XDG_CACHE_HOME: "", PCTL_LOCAL_DIR: dir };
  const options = { cwd: folder, env: environment, encoding: "utf8" } as const;
  const word = `import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(${JSON.stringify(usageFile)}, JSON.stringify(process.resourceUsage())))`;
  const startedAt = performance.now();
  const done = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(word)}`, pctl, "deploy", "--yes", "--quiet"],
    options,
  );
  const wallMs = performance.now() - startedAt;
  const processes = processesOf(dir);
  await endAll(dir, processes);
  if (done.status !== 0) throw new Error(`pctl deploy ended with ${done.status}: ${done.stdout}${done.stderr}`);
  // What the module above wrote.
  const usage = JSON.parse(readFileSync(usageFile, "utf8")) as NodeJS.ResourceUsage;
  return { wallMs, clientMs: (usage.userCPUTime + usage.systemCPUTime) / 1000, processes };
}

function declaration(): string {
  const each = Array.from({ length: services }, (_, index) => {
    const ports = `[{ containerPort: 8080, hostPort: ${firstPort + index}, address: 127.0.0.1 }]`;
    return `  s${index}: { image: ${image}, command: [${process.execPath}, server.mjs], ports: ${ports} }`;
  });
  return `name: bench\nprovider: local\nservices:\n${each.join("\n")}\n`;
}

/**
 * The next round shall not share the processor with the end of this one. Nothing is removed before the last one: for minutes an
 * ext4 without a journal passes over every inode that was freed, one by one, whenever a file is made.
 */
async function endAll(folder: string, processes: readonly ProcessSample[]): Promise<void> {
  const rank = { supervisor: 0, shim: 1, gateway: 2, replica: 3, client: 4 };
  for (const { pid } of processes.toSorted((a, b) => rank[a.role] - rank[b.role])) process.kill(pid, "SIGKILL");
  const until = performance.now() + 30_000;
  while (processes.some(({ pid }) => existsSync(`/proc/${pid}/exe`))) {
    if (performance.now() > until) throw new Error(`processes of ${folder} are left`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function reportAll(deployed: readonly Measured[], bare: readonly Measured[]): void {
  const of = (all: readonly Measured[], pick: (one: Measured) => number): number => median(all.map(pick));
  const cpu = (role: ProcessSample["role"]) => (one: Measured) => sumOf(one.processes, role, "cpuMs");
  const total = (one: Measured): number =>
    one.clientMs + one.processes.filter((each) => each.role !== "client").reduce((sum, each) => sum + each.cpuMs, 0);
  const shims = (pick: (sample: ProcessSample) => number): number =>
    median(deployed.flatMap((one) => one.processes.filter((each) => each.role === "shim").map(pick)));
  const script = (value: number): { name: string; value: number } => ({ name: "bare script", value });
  const row = `${services} services on local`;
  report(import.meta.filename, [
    {
      name: `${row}: deployed`,
      value: of(deployed, (one) => one.wallMs),
      unit: "ms",
      baseline: script(of(bare, (one) => one.wallMs)),
      goal: { atMost: 1.25 },
    },
    {
      name: `${row}: processor time of all processes`,
      value: of(deployed, total),
      unit: "ms",
      baseline: script(of(bare, total)),
    },
    { name: "  of it pctl", value: of(deployed, (one) => one.clientMs), unit: "ms" },
    { name: "  of it the supervisor", value: of(deployed, cpu("supervisor")), unit: "ms" },
    { name: "  of it the gateway", value: of(deployed, cpu("gateway")), unit: "ms" },
    {
      name: "  of it the shims",
      value: of(deployed, cpu("shim")),
      unit: "ms",
      baseline: script(of(bare, cpu("shim"))),
    },
    {
      name: "  of it the servers",
      value: of(deployed, cpu("replica")),
      unit: "ms",
      baseline: script(of(bare, cpu("replica"))),
    },
    { name: "a shim: processor time", value: shims((each) => each.cpuMs), unit: "ms" },
    { name: "a shim: memory of its own (USS)", value: shims((each) => each.ussMb), unit: "MB" },
    { name: "a shim: memory with its share of what is shared (PSS)", value: shims((each) => each.pssMb), unit: "MB" },
    { name: "a shim: memory with all that is shared (RSS)", value: shims((each) => each.rssMb), unit: "MB" },
  ]);
}
