import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectEngine, type SshEndpoint } from "@ctrlplane/images";
import { Project } from "../e2e/fixture.ts";
import { randomFrom } from "../e2e/random.ts";
import { isSoak } from "../e2e/soak.ts";
import { outcomeOf, type Outcome } from "../e2e/workbench.ts";
import { dockerSocket } from "../engines/docker.ts";
import { removeHost, startHost, type DockerHost } from "../engines/hosts.ts";
import { orphansIn, remainsOf, removeStack } from "../engines/remains.ts";
import { endEngine } from "./hosts.support.ts";

const kills = isSoak ? { rolling: 12, first: 10 } : { rolling: 2, first: 1 };
/** `SEED=n` repeats a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const skip = (await dockerSocket()) === undefined ? "missing: Docker Engine" : false;
const stack = "killed";
const port = 8080;

/**
 * The engine of a machine is killed with -9 at a random moment of a deploy over SSH, and is started again there. `pctl` says what happened; then one
 * plain deploy. What runs is what is declared, and nothing else of it is there.
 */
test("the engine killed in the middle of a deploy", { skip, timeout: 3_600_000 }, async (t) => {
  const name = `ctrlplane-killed-${process.pid}`;
  const host = await startHost({ name, images: ["busybox:latest", "haproxy:lts"] });
  t.after(() => removeHost(name));
  await using project = await Project.create();
  const random = randomFrom(seed);
  const whole = async (version: string): Promise<number> => {
    await write(project, host, version);
    const startedAt = performance.now();
    await project.ok("deploy", "--yes");
    return performance.now() - startedAt;
  };
  let firstMs = await whole("v0");
  let rollingMs = await whole("v1");
  t.diagnostic(
    `SEED=${seed}; a whole first deploy takes ${Math.round(firstMs)} ms, a rolling one ${Math.round(rollingMs)} ms`,
  );

  const met = new Map<string, number>();
  const count = (how: string): void => void met.set(how, (met.get(how) ?? 0) + 1);
  /** Resolves with how long a whole one took at the most. */
  const strike = async (version: string, wholeMs: number): Promise<number> => {
    const afterMs = Math.round(random() * wholeMs);
    const at = `SEED=${seed}, ${version} after ${afterMs} ms`;
    await write(project, host, version);
    const { outcome, elapsedMs } = await killedWhile(project, host, afterMs);
    const said = `${at}\n${outcome.stdout}${outcome.stderr}`;
    count(told(outcome, at));
    let again = await project.pctl(["deploy", "--yes"]);
    if (again.code !== 0 && /systemctl restart docker/.test(again.stdout + again.stderr)) {
      count("the engine kept the port until it was started again, and pctl said so");
      await endEngine(host, "-TERM");
      again = await project.pctl(["deploy", "--yes"]);
    }
    const shown = (): string => host.run("docker", ["ps", "--all"]);
    assert.equal(again.code, 0, again.code === 0 ? "" : `${said}\n${again.stdout}${again.stderr}\n${shown()}`);
    await isDeclared(project, host, version, at);
    return outcome.code === 0 ? Math.min(elapsedMs, wholeMs) : wholeMs;
  };
  for (let index = 0; index < kills.rolling; index += 1) rollingMs = await strike(`rolling-${index}`, rollingMs);
  for (let index = 0; index < kills.first; index += 1) {
    await project.ok("destroy", "--yes");
    await removeStack(endpointOf(host), stack);
    await rm(join(project.folder, `pctl.${stack}.json`));
    firstMs = await strike(`first-${index}`, firstMs);
  }
  for (const [how, times] of met) t.diagnostic(`${times} of ${kills.rolling + kills.first} deploys: ${how}`);
  assert.ok(
    [...met.keys()].some((how) => !how.startsWith("exit 0")),
    "no deploy was struck",
  );
});

/** A deploy in whose middle the engine dies; resolves when that has ended, and the engine answers again. */
async function killedWhile(
  project: Project,
  host: DockerHost,
  afterMs: number,
): Promise<{ readonly outcome: Outcome; readonly elapsedMs: number }> {
  const startedAt = performance.now();
  const child = project.start(["deploy", "--yes"]);
  child.stdin?.end();
  const ended = outcomeOf(child).then((outcome) => ({ outcome, elapsedMs: performance.now() - startedAt }));
  await sleep(afterMs);
  await endEngine(host, "-KILL");
  return ended;
}

const saysSo =
  /the connection to ssh:\S+ broke: \w+(?: \w+)*|the Docker Engine does not run on the host|the engine did not answer|was (?:stopped|started again) from outside: the engine was started again/;
const hint = /^ *(?:next|help|Next):? +\S/m;

/** The exit code, and the sentence. What did not succeed says that it is the engine, in words of ours, and what to do. */
function told({ code, stdout, stderr }: Outcome, at: string): string {
  const said = stdout + stderr;
  if (code === 0) return "exit 0, it was over before";
  const [sentence] = said.match(saysSo) ?? [];
  assert.ok(sentence !== undefined, `${at}: exit ${code}\n${said}`);
  // Failed; failed before anything was begun; not reached any more.
  assert.ok(code === 1 || code === 3 || code === 4, `${at}: exit ${code}\n${said}`);
  assert.match(said, hint, at);
  return `exit ${code}, "${sentence}"`;
}

async function isDeclared(project: Project, host: DockerHost, version: string, at: string): Promise<void> {
  const url = `http://${host.address}:${port}/`;
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => (await fetch(url, { headers: { connection: "close" } })).text()),
  );
  assert.deepEqual([...new Set(answers)], [version], at);
  const engine = connectEngine(endpointOf(host));
  try {
    const containers = ["web-1", "web-2", "web-gateway"].map((each) => `${stack}-${each}`);
    const wanted = { containers, services: [`${stack}-web`] };
    assert.deepEqual(orphansIn(await remainsOf(engine, stack), wanted), [], at);
  } finally {
    await engine.close();
  }
  await project.ok("plan", "--exit-code");
}

function endpointOf({ address, key, hostKey }: DockerHost): SshEndpoint {
  return { kind: "ssh", host: address, user: "admin", key, hostKey, sudo: false };
}

async function write(project: Project, host: DockerHost, version: string): Promise<void> {
  const { address, key, hostKey } = host;
  const options = { host: address, user: "admin", key, hostKey };
  const script = `mkdir -p /www && printf %s "$VERSION" > /www/index.html && { httpd -f -p 3000 -h /www & } && trap 'exit 0' TERM && wait`;
  await project.write({
    "pctl.yaml": `
name: ${stack}
provider: there
providers: { there: { type: docker, options: ${JSON.stringify(options)} } }
services:
  web:
    image: busybox
    command: [sh, -c, ${JSON.stringify(script)}]
    env: { VERSION: ${version} }
    ports: ["${port}:3000"]
    scale: { replica: 2 }
    strategy: { type: rolling, drain: 1 }
`,
  });
}
