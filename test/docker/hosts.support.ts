import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { eventually, Project } from "../e2e/fixture.ts";
import type { DockerHost, HostUser } from "../engines/hosts.ts";

/** A provider of a stack: a host, and what differs from a login that works. */
export interface At {
  readonly host: DockerHost;
  readonly user?: HostUser;
  readonly sudo?: boolean;
  readonly key?: string;
}

/** A project with one service on each of its providers, called as the provider is, and the service `both` on some; none has ports. */
export class Hosts implements AsyncDisposable {
  readonly name = `hosts${randomBytes(4).toString("hex")}`;
  readonly project: Project;
  readonly #shared: readonly DockerHost[];

  private constructor(project: Project, shared: readonly DockerHost[]) {
    this.project = project;
    this.#shared = shared;
  }

  /** `shared`: hosts of others, which are left as they were. */
  static async create(shared: readonly DockerHost[]): Promise<Hosts> {
    return new Hosts(await Project.create(), shared);
  }

  /** `content`: of a file in the image. `both`: providers that have it. */
  async write(version: string, at: Readonly<Record<string, At>>, both: readonly string[] = []): Promise<void> {
    const services = Object.keys(at).map(
      (name) => `  ${name}: { image: ./app, provider: ${name}, strategy: recreate }`,
    );
    await this.project.write({
      "pctl.yaml": [
        `name: ${this.name}`,
        `provider: ${Object.keys(at)[0] ?? ""}`,
        "providers:",
        ...Object.entries(at).map(([name, each]) => `  ${name}: ${providerOf(each)}`),
        "services:",
        ...services,
        ...(both.length === 0 ? [] : [`  both: { image: ./app, provider: [${both.join()}], strategy: recreate }`]),
        "",
      ].join("\n"),
      "app/Dockerfile": `FROM busybox:latest\nCOPY . /app\nCMD ["sh", "-c", "trap 'exit 0' TERM; sleep 100000 & wait"]\n`,
      "app/version": version,
    });
  }

  /** Of each container of the stack that runs there: the service, and the version that is in it. */
  running(host: DockerHost): string[] {
    const names = this.names(host, "status=running");
    return names.map(
      (name) => `${name} ${host.run("docker", ["exec", `${this.name}-${name}`, "cat", "/app/version"])}`,
    );
  }

  /** Containers there, without the stack's name; those that are kept for their logs are none. */
  names(host: DockerHost, ...filters: readonly string[]): string[] {
    return this.#list(host, ["ps", "--all", "--format", "{{.Names}}"], filters)
      .map((each) => each.slice(this.name.length + 1))
      .filter((name) => !/\.old-[0-9a-f]{8}$/.test(name))
      .toSorted();
  }

  #list(host: DockerHost, words: readonly string[], filters: readonly string[] = []): string[] {
    const wanted = [`label=pctl-stack=${this.name}`, ...filters].flatMap((each) => ["--filter", each]);
    return host
      .run("docker", [...words, ...wanted])
      .split("\n")
      .filter((each) => each !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#shared) {
      for (const id of this.#list(host, ["ps", "--all", "--quiet"])) host.run("docker", ["rm", "--force", id]);
      for (const id of this.#list(host, ["network", "ls", "--quiet"])) host.run("docker", ["network", "rm", id]);
      for (const id of this.#list(host, ["volume", "ls", "--quiet"])) host.run("docker", ["volume", "rm", id]);
    }
    await this.project[Symbol.asyncDispose]();
  }
}

function providerOf({ host, user = "deploy", sudo = user !== "admin", key = host.key }: At): string {
  const { address, hostKey } = host;
  return `{ type: docker, options: { host: ${address}, user: ${user}, sudo: ${sudo}, key: ${key}, hostKey: "${hostKey}" } }`;
}

/** Bytes that a host received since it is up. */
export function bytesReceived({ pid }: DockerHost): number {
  const received = /eth0:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/net/dev`, "utf8"))?.[1];
  assert.ok(received !== undefined);
  return Number(received);
}

/** Ends the engine of a host, which starts it again; resolves when that one answers. */
export async function endEngine(host: DockerHost, signal: "-KILL" | "-TERM"): Promise<void> {
  const pid = host.run("cat", ["/var/run/docker.pid"]).trim();
  host.run("kill", [signal, pid]);
  await eventually("another engine answers", () => isUp(host, pid), 60_000);
}

function isUp(host: DockerHost, before: string): boolean {
  try {
    host.run("docker", ["version"]);
    return host.run("cat", ["/var/run/docker.pid"]).trim() !== before;
  } catch {
    // Not yet.
    return false;
  }
}
