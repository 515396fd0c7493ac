import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Project } from "../e2e/fixture.ts";
import { outcomeOf } from "../e2e/workbench.ts";
import { dockerHosts, removeHost, startHost, type DockerHost } from "../engines/hosts.ts";

const [host] = (await dockerHosts()) ?? [];
const options = { skip: host === undefined ? "missing: a Docker host" : false, timeout: 300_000 };
/** What the frozen one had reached: a container of its version is there, or runs. */
const moments = process.env["SOAK"] === "1" ? (["created", "started"] as const) : (["created"] as const);
const key = randomBytes(32).toString("base64");
/** A machine of another name. */
const elsewhere = ["unshare", "--uts", "sh", "-c", `hostname elsewhere && exec "$@"`, "sh"];

for (const moment of moments) {
  test(
    `a deploy that is frozen when its container is ${moment}: another machine takes over, and what thaws writes nothing`,
    options,
    async () => {
      await using stack = await Stack.create();
      const { one, two } = stack;
      await stack.deploy(one, "1");
      await stack.write(one, "2");
      const frozen = one.start(["deploy", "--yes"], { env: { PCTL_KEY: key } });
      const ended = outcomeOf(frozen);
      await eventually(`its container is ${moment}`, () => stack.hasReached(moment), 60_000);
      frozen.kill("SIGSTOP");

      await stack.write(two, "3");
      const taken = await two.expect(0, ["deploy", "--yes"], { env: { PCTL_KEY: key }, under: elsewhere });
      assert.match(taken, /waits for \S+ on \S+ \(deploy, pid \d+\)/);
      assert.deepEqual(stack.running(), ["web 3"]);
      const before = stack.everything();

      frozen.kill("SIGCONT");
      const { code, stdout, stderr } = await ended;
      assert.notEqual(code, 0, stdout + stderr);
      assert.match(stdout + stderr, /the lease of \S+ was lost/);
      assert.deepEqual(stack.everything(), before);
      // Neither did it spoil what both read.
      await two.expect(0, ["plan", "--exit-code"], { env: { PCTL_KEY: key }, under: elsewhere });
      await stack.deploy(one, "4");
      assert.deepEqual(stack.running(), ["web 4"]);
    },
  );
}

test("an engine that stands still for longer than a lease runs: the deploy waits, and goes on", options, async (t) => {
  const name = `ctrlplane-still-${process.pid}`;
  const still = await startHost({ name });
  t.after(() => removeHost(name));
  await using stack = await Stack.create(still);
  const { one } = stack;
  await stack.deploy(one, "1");
  await stack.write(one, "2");
  const ended = outcomeOf(one.start(["deploy", "--yes"], { env: { PCTL_KEY: key } }));
  await eventually("its container is created", () => stack.hasReached("created"), 60_000);
  const engine = (signal: string): string => still.run("sh", ["-c", `kill -${signal} $(cat /var/run/docker.pid)`]);
  engine("STOP");
  await sleep(20_000);
  engine("CONT");
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual(stack.running(), ["web 2"]);
  await one.expect(0, ["plan", "--exit-code"], { env: { PCTL_KEY: key } });
});

/** One stack in two folders, each with a home of its own, over SSH to one engine. */
class Stack implements AsyncDisposable {
  readonly one: Project;
  readonly two: Project;
  readonly #name = `lease${randomBytes(4).toString("hex")}`;
  readonly #host: DockerHost;

  private constructor(one: Project, two: Project, at: DockerHost) {
    this.one = one;
    this.two = two;
    this.#host = at;
  }

  static async create(at: DockerHost | undefined = host): Promise<Stack> {
    assert.ok(at !== undefined);
    return new Stack(await Project.create(), await Project.create(), at);
  }

  async deploy(project: Project, version: string): Promise<void> {
    await this.write(project, version);
    await project.expect(0, ["deploy", "--yes"], { env: { PCTL_KEY: key } });
  }

  write(project: Project, version: string): Promise<void> {
    const { address, key: file, hostKey } = this.#host;
    return project.write({
      "pctl.yaml": `
name: ${this.#name}
provider: far
providers:
  far: { type: docker, options: { host: ${address}, user: deploy, sudo: true, key: ${file}, hostKey: "${hostKey}" } }
services:
  web:
    image: busybox
    strategy: rolling
    command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait", "${version}"]
`,
    });
  }

  hasReached(moment: (typeof moments)[number]): boolean {
    const all = moment === "created" ? ["--all"] : [];
    return this.#list("ps", ...all, "--quiet").length > 1;
  }

  /** Services of containers that run, with their versions. */
  running(): string[] {
    const names = this.#list("ps", "--format", "{{.Names}}");
    const format = "{{index .Config.Cmd 3}}";
    return names.map(
      (name) =>
        `${name.slice(this.#name.length + 1)} ${this.#host.run("docker", ["inspect", "--format", format, name]).trim()}`,
    );
  }

  /** All that is on the engine of this stack, and how it is. */
  everything(): string[] {
    return [
      ...this.#list("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}"),
      ...this.#list("volume", "ls", "--format", `{{.Name}} {{.Label "pctl-nonce"}}`),
      ...this.#list("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"),
    ].toSorted();
  }

  #list(...words: readonly string[]): string[] {
    const said = this.#host.run("docker", [...words, "--filter", `label=pctl-stack=${this.#name}`]);
    return said.split("\n").filter((each) => each !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#list("ps", "--all", "--quiet")) this.#host.run("docker", ["rm", "--force", id]);
    for (const id of this.#list("network", "ls", "--quiet")) this.#host.run("docker", ["network", "rm", id]);
    for (const id of this.#list("volume", "ls", "--quiet")) this.#host.run("docker", ["volume", "rm", id]);
    await this.one[Symbol.asyncDispose]();
    await this.two[Symbol.asyncDispose]();
  }
}
