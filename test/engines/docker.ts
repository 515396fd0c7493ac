// `docker.ts up | down | status`: a Docker Engine of the tests' own, as root on Debian. `DOCKER_HOST` names another one, which is used as it is.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { engineCache } from "./cache.ts";
import { ensurePackages, findProgram, run } from "./commands.ts";
import { ensureImages } from "./images.ts";

/** One on a machine, whoever brought it up: its bridge has the one address. */
const ownSocket = "/run/ctrlplane-docker.sock";
const pidFile = "/run/ctrlplane-docker.pid";
const executionRoot = "/run/ctrlplane-docker";
const bridge = "ctrlplane0";
const startMs = 30_000;

/** Socket of the engine that tests use; undefined where none answers. */
export async function dockerSocket(): Promise<string | undefined> {
  const named = process.env["DOCKER_HOST"];
  const socket = named === undefined ? ownSocket : named.replace(/^unix:\/\//, "");
  return (await answers(socket)) ? socket : undefined;
}

async function up(): Promise<void> {
  if ((await dockerSocket()) === undefined) await startEngine();
  ensureImages(await requireSocket());
}

async function startEngine(): Promise<void> {
  const running = pidIn("/var/run/docker.pid") ?? pidIn(pidFile);
  if (running !== undefined)
    throw new Error(
      `an engine runs here already (pid ${running}): set DOCKER_HOST to use it, it would lose its ports to another`,
    );
  ensurePackages(["dockerd", "iptables"], ["docker.io", "iptables"]);
  const folder = engineCache("docker");
  removeRemains();
  rmSync(pidFile, { force: true });
  if (!existsSync(`/sys/class/net/${bridge}`)) run("ip", ["link", "add", bridge, "type", "bridge"]);
  run("ip", ["address", "replace", "172.31.240.1/24", "dev", bridge]);
  run("ip", ["link", "set", bridge, "up"]);
  const log = openSync(join(folder, "log"), "a");
  const paths = ["--data-root", join(folder, "data"), "--exec-root", executionRoot];
  const own = ["--pidfile", pidFile, "--bridge", bridge, "-H", `unix://${ownSocket}`];
  const program = findProgram("dockerd") ?? "dockerd";
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  // Not a test's: it stays for the next run.
  const { CTRLPLANE_TEST_RUN: _, ...inherited } = process.env;
  spawn(program, [...paths, ...own], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...inherited, PATH: path },
  }).unref();
  const until = performance.now() + startMs;
  while (!(await answers(ownSocket))) {
    if (performance.now() > until) throw new Error(`dockerd does not answer; see ${join(folder, "log")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The network of an engine that was killed keeps its addresses, which the next one gives out again. */
function removeRemains(): void {
  const links = `/sys/class/net/${bridge}/brif`;
  for (const link of existsSync(links) ? readdirSync(links) : []) run("ip", ["link", "delete", link]);
  const namespaces = join(executionRoot, "netns");
  for (const each of existsSync(namespaces) ? readdirSync(namespaces) : [])
    spawnSync("umount", ["--lazy", join(namespaces, each)]);
}

function down(): void {
  const pid = pidIn(pidFile);
  if (pid !== undefined) process.kill(pid, "SIGTERM");
}

async function requireSocket(): Promise<string> {
  const socket = await dockerSocket();
  if (socket === undefined) throw new Error("no Docker Engine answers");
  return socket;
}

/** Of an engine that lives: numbers are given again, and one that nobody waited for keeps its own. */
function pidIn(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8"));
  try {
    return readlinkSync(`/proc/${pid}/exe`).endsWith("dockerd") ? pid : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = get({ socketPath, path: "/_ping", timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => resolve(false));
  });
}

if (import.meta.main) {
  const [word] = process.argv.slice(2);
  if (word === "up") await up();
  else if (word === "down") down();
  else process.stdout.write(`${(await dockerSocket()) ?? "down"}\n`);
}
