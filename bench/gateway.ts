// The gateway's requests per second and p99 beside a direct connection and Debian's HAProxy: one upstream, one client, 32
// kept-alive connections, one thread each, the three measured in turn so that a busy machine slows all alike; medians.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, report, type Row } from "./report.ts";

const connections = 32;
const roundMs = 2000;
const rounds = 5;
const haproxyPort = 28_991;
const started: ChildProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), "pctl-bench-"));

interface Round {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** Processor time of the proxy for each request, in microseconds. */
  readonly cpuMicros: number;
}

interface Contender {
  readonly name: "direct" | "gateway" | "haproxy";
  readonly port: number;
  readonly pid: number;
  readonly measured: Round[];
}

try {
  const hasWrk = spawnSync("wrk", ["--version"]).error === undefined;
  const contenders = await startContenders();
  for (let round = -1; round < rounds; round += 1) {
    for (const contender of contenders) {
      const result = measure(contender, hasWrk);
      // The first round warms up, and is not counted.
      if (round >= 0) contender.measured.push(result);
    }
  }
  process.stdout.write(
    `client: ${hasWrk ? "wrk" : "our own (install wrk for a faster one)"}, ${connections} connections\n`,
  );
  if (contenders.length < 3) process.stdout.write("haproxy is missing: apt install haproxy\n");
  report(import.meta.filename, rowsOf(contenders));
} finally {
  for (const child of started) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

async function startContenders(): Promise<Contender[]> {
  const upstream = await startNode("upstream.ts");
  const gateway = await startNode("gateway-process.ts", String(upstream.port));
  const contenders: Contender[] = [
    { name: "direct", ...upstream, measured: [] },
    { name: "gateway", ...gateway, measured: [] },
  ];
  const haproxy = await startHaproxy(upstream.port);
  if (haproxy !== undefined) contenders.push({ name: "haproxy", port: haproxyPort, pid: haproxy, measured: [] });
  return contenders;
}

async function startNode(file: string, ...args: string[]): Promise<{ port: number; pid: number }> {
  const path = join(import.meta.dirname, "gateway", file);
  const child = spawn(process.execPath, ["--conditions=source", path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  // Node types the events of a stream as `any`.
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(line.toString()), pid: child.pid ?? 0 };
}

/** Undefined where it is not installed. It does what the gateway does: ends HTTP, keeps connections, says for whom it asks. */
async function startHaproxy(upstreamPort: number): Promise<number | undefined> {
  if (spawnSync("haproxy", ["-v"]).error !== undefined) return undefined;
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
frontend bench
  bind 127.0.0.1:${haproxyPort}
  default_backend bench
backend bench
  http-reuse always
  server bench-1 127.0.0.1:${upstreamPort}
`,
  );
  const child = spawn("haproxy", ["-f", file], { stdio: ["ignore", "ignore", "inherit"] });
  started.push(child);
  while (!(await accepts(haproxyPort))) {
    if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}`);
  }
  return child.pid;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => setTimeout(() => resolve(false), 20));
    socket.once("connect", () => socket.destroy());
  });
}

function measure(contender: Contender, hasWrk: boolean): Round {
  const cpuBefore = cpuMicrosOf(contender.pid);
  const result = hasWrk ? runWrk(contender.port) : runOwn(contender.port);
  const requests = (result.requestsPerSecond * roundMs) / 1000;
  return { ...result, cpuMicros: (cpuMicrosOf(contender.pid) - cpuBefore) / requests };
}

function runWrk(port: number): Omit<Round, "cpuMicros"> {
  const args = ["-t1", `-c${connections}`, `-d${roundMs / 1000}s`, "--latency", `http://127.0.0.1:${port}/`];
  const { stdout } = spawnSync("wrk", args, { encoding: "utf8" });
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  if (rate === undefined || p99 === undefined || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`wrk: ${stdout}`);
  return { requestsPerSecond: Number(rate), p99Ms: Number(p99) * (unit === "us" ? 0.001 : unit === "s" ? 1000 : 1) };
}

function runOwn(port: number): Omit<Round, "cpuMicros"> {
  const path = join(import.meta.dirname, "gateway", "closed-loop.ts");
  const args = ["--conditions=source", path, String(port), String(connections), String(roundMs)];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the client ended with ${status}`);
  // What closed-loop.ts prints.
  return JSON.parse(stdout) as Omit<Round, "cpuMicros">;
}

/** User and system time so far; ticks are 10 ms on Linux. */
function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10_000;
}

function rowsOf(contenders: readonly Contender[]): Row[] {
  const of = (contender: Contender, key: keyof Round): number => median(contender.measured.map((each) => each[key]));
  const gateway = contenders.find((each) => each.name === "gateway");
  if (gateway === undefined) return [];
  return contenders
    .filter((each) => each !== gateway)
    .flatMap((other): Row[] => [
      {
        name: `gateway, requests/s beside ${other.name}`,
        value: of(gateway, "requestsPerSecond"),
        unit: "requests/s",
        baseline: { name: other.name, value: of(other, "requestsPerSecond") },
      },
      {
        name: `gateway, p99 beside ${other.name}`,
        value: of(gateway, "p99Ms"),
        unit: "ms",
        baseline: { name: other.name, value: of(other, "p99Ms") },
      },
      ...(other.name === "haproxy"
        ? [
            {
              name: "gateway, processor time a request beside haproxy",
              value: of(gateway, "cpuMicros"),
              unit: "µs",
              baseline: { name: other.name, value: of(other, "cpuMicros") },
            },
          ]
        : []),
    ]);
}
