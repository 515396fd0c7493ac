// `hosts.ts up | down | status`: two machines with a Docker Engine 26.1 and an sshd each, as containers of the engine that docker.ts brings up.
import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { engineCache } from "./cache.ts";
import { run } from "./commands.ts";
import { dockerSocket } from "./docker.ts";
import { ensureHostImage, ensureKey, type HostUser } from "./host-image.ts";

export interface DockerHost {
  readonly name: string;
  /** Its address in the network that this machine shares with it. */
  readonly address: string;
  /** `ssh-ed25519 AAAA…` of its sshd. */
  readonly hostKey: string;
  /** Path of the private key with which each of its users may log in. */
  readonly key: string;
  /** Of its first process, as this machine counts them: the way to its network and its files. */
  readonly pid: number;
  /** Runs a program on it as root, to its end; its standard output. */
  run(program: string, args: readonly string[], input?: string): string;
}

export type { HostUser };

/** Of `docker run`, and what it is given. */
export interface HostOptions {
  readonly name: string;
  /** Default: busybox alone. */
  readonly images?: readonly string[];
  readonly options?: readonly string[];
}

/** Of hosts that tests made for themselves. */
const ownLabel = "ctrlplane-own-host";
const names = ["ctrlplane-host-1", "ctrlplane-host-2"] as const;
const imagesOfHosts = ["busybox:latest", "node:24-slim", "haproxy:lts"];
const startMs = 60_000;
const capabilities = ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "NET_RAW", "MKNOD", "SYS_CHROOT"];
const unconfined = ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"];

/** The hosts that run; undefined where one of them does not. */
export async function dockerHosts(): Promise<readonly [DockerHost, DockerHost] | undefined> {
  const socket = await dockerSocket();
  if (socket === undefined) return undefined;
  const docker = ["-H", `unix://${socket}`];
  const [one, two] = names.map((name) => hostOf(docker, name));
  return one === undefined || two === undefined ? undefined : [one, two];
}

/** One more host, for a test that breaks it; to be removed by `removeHost`. Seconds, where the others are up. */
export async function startHost({ name, images = ["busybox:latest"], options = [] }: HostOptions): Promise<DockerHost> {
  const docker = await requireEngine();
  const image = ensureHostImage(docker);
  const { authorized } = ensureKey();
  const own = ["--label", ownLabel, ...options];
  run("docker", [...docker, "run", "--detach", ...runOptions(name, image, authorized), ...own, image]);
  try {
    const host = await untilReady(docker, name);
    for (const each of images) giveImage(docker, name, each);
    return host;
  } catch (error) {
    remove(docker, name);
    throw error;
  }
}

/** With all that is on it. */
export async function removeHost(name: string): Promise<void> {
  remove(await requireEngine(), name);
}

/** Stops it as a shutdown does, or as when its power fails, and boots it again; its address may be another one then. */
export async function bootHost(name: string, how: "shutdown" | "power failure"): Promise<DockerHost> {
  const docker = await requireEngine();
  run("docker", [...docker, ...(how === "shutdown" ? ["stop", "--time", "60"] : ["kill"]), name]);
  run("docker", [...docker, "start", name]);
  return untilReady(docker, name);
}

/** Freezes all that runs on it, or thaws it. */
export async function pauseHost(name: string, isPaused: boolean): Promise<void> {
  run("docker", [...(await requireEngine()), isPaused ? "pause" : "unpause", name]);
}

async function up(): Promise<void> {
  const docker = await requireEngine();
  const image = ensureHostImage(docker);
  const { authorized } = ensureKey();
  for (const name of names) {
    if (exists(docker, name) && madeOf(docker, name) !== `${image} ${authorized}`) remove(docker, name);
    if (hostOf(docker, name) !== undefined) continue;
    if (exists(docker, name)) run("docker", [...docker, "start", name]);
    else run("docker", [...docker, "run", "--detach", ...runOptions(name, image, authorized), image]);
  }
  for (const name of names) await untilReady(docker, name);
  for (const given of imagesOfHosts) for (const name of names) giveImage(docker, name, given);
}

/** The host's engine has the image as this machine's has it now. */
export function giveImage(docker: readonly string[], name: string, image: string): void {
  const inspect = ["image", "inspect", "--format", "{{.Id}}", image];
  const inside = ["exec", "-i", name, "docker"];
  if (tried(docker, [...inside, ...inspect]) === run("docker", [...docker, ...inspect]).trim()) return;
  const archive = join(engineCache("hosts"), `given-${process.pid}.tar`);
  try {
    run("docker", [...docker, "save", "--output", archive, image]);
    const input = openSync(archive, "r");
    const loaded = spawnSync("docker", [...docker, ...inside, "load"], {
      stdio: [input, "ignore", "pipe"],
      encoding: "utf8",
    });
    closeSync(input);
    if (loaded.status !== 0) throw new Error(`docker load on ${name}: ${loaded.stderr}`);
  } finally {
    rmSync(archive, { force: true });
  }
}

function runOptions(name: string, image: string, authorized: string): string[] {
  const made = ["--label", `made=${image} ${authorized}`];
  const own = ["--name", name, "--hostname", name, "--restart", "unless-stopped", "--cgroupns", "host", ...made];
  const mounts = ["/sys/fs/cgroup:/sys/fs/cgroup:rw", `${authorized}:/etc/ssh/authorized_keys:ro`];
  return [
    ...own,
    ...capabilities.flatMap((each) => ["--cap-add", each]),
    ...unconfined.flatMap((each) => ["--security-opt", each]),
    ...mounts.flatMap((each) => ["-v", each]),
  ];
}

async function untilReady(docker: readonly string[], name: string): Promise<DockerHost> {
  const until = performance.now() + startMs;
  for (;;) {
    const host = hostOf(docker, name);
    if (host !== undefined && (await greets(host.address))) return host;
    if (performance.now() > until)
      throw new Error(`${name} does not come up: ${tried(docker, ["exec", name, "cat", "/var/log/sshd.log"])}`);
    await sleep(200);
  }
}

/** Undefined unless its engine answers. */
function hostOf(docker: readonly string[], name: string): DockerHost | undefined {
  const format = "{{.State.Pid}} {{.NetworkSettings.IPAddress}}";
  const [pid, address = ""] = tried(docker, ["inspect", "--format", format, name])?.split(" ") ?? [];
  if (address === "") return undefined;
  const hostKey = tried(docker, ["exec", name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
  const engine = tried(docker, ["exec", name, "docker", "version", "--format", "{{.Server.Version}}"]);
  if (hostKey === undefined || engine === undefined) return undefined;
  return {
    name,
    address,
    hostKey: hostKey.split(" ").slice(0, 2).join(" "),
    key: ensureKey().key,
    pid: Number(pid),
    run: (program, args, input) =>
      run("docker", [...docker, "exec", "-i", name, program, ...args], input === undefined ? {} : { input }),
  };
}

function exists(docker: readonly string[], name: string): boolean {
  return tried(docker, ["inspect", name]) !== undefined;
}

/** Its image and the key it lets in. */
function madeOf(docker: readonly string[], name: string): string | undefined {
  return tried(docker, ["inspect", "--format", `{{index .Config.Labels "made"}}`, name]);
}

/** Whether an sshd answers there, seen from this machine. */
function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 });
    const end = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(2000, () => end(false));
    socket.on("data", (said) => end(said.toString().startsWith("SSH-2.0")));
    socket.on("error", () => end(false));
  });
}

function remove(docker: readonly string[], name: string): void {
  run("docker", [...docker, "rm", "--force", "--volumes", name]);
}

function tried(docker: readonly string[], args: readonly string[]): string | undefined {
  const done = spawnSync("docker", [...docker, ...args], { encoding: "utf8" });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

async function down(): Promise<void> {
  const docker = await requireEngine();
  for (const name of names) if (exists(docker, name)) remove(docker, name);
  const left = run("docker", [...docker, "ps", "--all", "--quiet", "--filter", `label=${ownLabel}`]);
  for (const id of left.split("\n")) if (id !== "") remove(docker, id);
}

async function requireEngine(): Promise<readonly string[]> {
  const socket = await dockerSocket();
  if (socket === undefined) throw new Error("no Docker Engine answers: docker.ts up starts one");
  return ["-H", `unix://${socket}`];
}

if (import.meta.main) {
  const [word] = process.argv.slice(2);
  if (word === "up") await up();
  else if (word === "down") await down();
  else for (const each of (await dockerHosts()) ?? []) process.stdout.write(`${each.name} ${each.address}\n`);
}
