import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { eventually, Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { bootHost, removeHost, startHost, type DockerHost } from "../engines/hosts.ts";
import { endEngine } from "./hosts.support.ts";

const skip = (await dockerSocket()) === undefined ? "missing: Docker Engine" : false;
const options = { skip, timeout: 600_000 };
const comesUpMs = 60_000;
const ports = { web: 8080, api: 8081, single: 8082 } as const;

/** Services behind a gateway, whose reloads an engine may take for a wish that it stays down; one that publishes itself, and one that was stopped. */
test(
  "what was deployed serves again after its machine was booted, and nobody has to do anything",
  options,
  async (t) => {
    let host = await ownHost(t, "boot");
    await using project = await Project.create();
    for (const version of ["v0", "v1"]) {
      await write(project, host, version);
      await project.ok("deploy", "--yes");
    }
    await project.ok("stop", "stopped", "--yes");

    const isAsBefore = async (what: string): Promise<void> => {
      await t.test(what, async (inner) => {
        await serves(inner, host);
        await write(project, host, "v1");
        await project.ok("plan", ...Object.keys(ports), "--exit-code");
        const running = host.run("docker", ["ps", "--format", "{{.Names}}"]).trim().split("\n").toSorted();
        assert.deepEqual(running, [
          "boot-api-1",
          "boot-api-2",
          "boot-api-gateway",
          "boot-single",
          "boot-web-1",
          "boot-web-2",
          "boot-web-gateway",
        ]);
      });
    };
    await isAsBefore("before");
    await endEngine(host, "-TERM");
    await isAsBefore("the engine was started again");
    host = await bootHost(host.name, "shutdown");
    await isAsBefore("the machine was shut down, and booted");
    host = await bootHost(host.name, "power failure");
    await isAsBefore("the machine lost its power, and was booted");
  },
);

/** What an engine finds running when it starts after a crash it stops; the gateway comes back by its policy, before the rest. */
test(
  "after an engine was killed one deploy brings back what it stopped, and clients are answered when it returns",
  options,
  async (t) => {
    const host = await ownHost(t, "crash");
    await using project = await Project.create();
    await write(project, host, "v1");
    await project.ok("deploy", "--yes");
    await endEngine(host, "-KILL");
    assert.match(await project.ok("status"), /^web .* (?:down|stopped) /m);
    for (const [service, port] of Object.entries(ports)) {
      await project.ok("deploy", service, "--yes");
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask(host, port)));
      assert.ok(
        answers.every((each) => each?.startsWith(`${service} v1 `)),
        `${service}: ${answers.join("")}`,
      );
    }
    await project.ok("deploy", "--yes");
    await project.ok("plan", "--exit-code");
  },
);

async function ownHost(t: TestContext, what: string): Promise<DockerHost> {
  const name = `ctrlplane-${what}-${process.pid}`;
  const host = await startHost({ name, images: ["busybox:latest", "haproxy:lts"] });
  t.after(() => removeHost(name));
  return host;
}

/** Each service answers for itself, and each of its replicas does. */
async function serves(t: TestContext, host: DockerHost): Promise<void> {
  for (const [service, port] of Object.entries(ports)) {
    const wanted = service === "single" ? 1 : 2;
    const isUp = async (): Promise<boolean> => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(host, port)));
      const isRight = answers.every((each) => each?.startsWith(`${service} v1 `));
      return isRight && new Set(answers).size === wanted;
    };
    const startedAt = performance.now();
    await eventually(`${service} serves`, isUp, comesUpMs);
    t.diagnostic(`${service} after ${Math.round(performance.now() - startedAt)} ms`);
  }
}

async function ask(host: DockerHost, port: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://${host.address}:${port}/`, { headers: { connection: "close" } });
    return await answer.text();
  } catch {
    // Not yet.
    return undefined;
  }
}

async function write(project: Project, host: DockerHost, version: string): Promise<void> {
  const { address, key, hostKey } = host;
  const login = { host: address, user: "admin", key, hostKey };
  const script = `mkdir -p /www && echo "$SERVICE $VERSION $(hostname)" > /www/index.html && { httpd -f -p 3000 -h /www & } && trap 'exit 0' TERM && wait`;
  // Another check is one that a gateway has to reload for.
  const health = version === "v0" ? "tcp: true" : "http: /";
  const service = (called: string, more: string): string =>
    `  ${called}: { image: busybox, command: [sh, -c, ${JSON.stringify(script)}], env: { SERVICE: ${called}, VERSION: ${version} }, ${more} }`;
  await project.write({
    "pctl.yaml": [
      "name: boot",
      "provider: there",
      `providers: { there: { type: docker, options: ${JSON.stringify(login)} } }`,
      "services:",
      service(
        "web",
        `ports: ["${ports.web}:3000"], scale: { replica: 2 }, strategy: { type: rolling, drain: 1 }, health: { ${health} }`,
      ),
      service("api", `ports: ["${ports.api}:3000"], scale: { replica: 2 }, strategy: { type: blue_green, drain: 1 }`),
      service("single", `ports: ["${ports.single}:3000"], strategy: recreate`),
      service("stopped", "strategy: recreate"),
      "",
    ].join("\n"),
  });
}
