import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError, type Release } from "@ctrlplane/core/provider";
import { connectEngine, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { countingSocket } from "../../bench/docker/counting-socket.ts";
import { ContainerEvents } from "../../packages/providers/docker/src/container-events.ts";
import { outlive, waitReady } from "../../packages/providers/docker/src/wait-ready.ts";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { testContext } from "./gateway.support.ts";
import { StackOnEngine } from "./stack.support.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 120_000 };

/** A shell that does something when it is told to, once it has said that it listens. */
const shell = (...on: readonly (readonly ["USR1" | "USR2", string])[]): { readonly Cmd: readonly string[] } => ({
  Cmd: [
    "sh",
    "-c",
    `${on.map(([name, what]) => `trap '${what}' ${name};`).join(" ")} echo listens; while :; do sleep 1000 & wait; done`,
  ],
});
const isThere = { Test: ["CMD", "test", "-e", "/ok"], Interval: 1e9 };

// Time stands still for who waits: only the engine's events end a rest. `looks`: the first, one when events begin to be told, one for each.
for (const { what, body, isTold = false, error, looks } of [
  {
    what: "ends in the middle of the wait",
    body: shell(["USR1", "exit 4"]),
    isTold: true,
    error: ["EXITED", 4],
    looks: 4,
  },
  {
    what: "runs out of memory in the middle of the wait",
    body: { ...shell(["USR1", "exec tail /dev/zero"]), HostConfig: { Memory: 16 * 1024 * 1024 } },
    isTold: true,
    error: ["OOM", 137],
    looks: 5,
  },
  {
    what: "ends again and again",
    body: { Cmd: ["sh", "-c", "exit 3"], HostConfig: { RestartPolicy: { Name: "always" } } },
    error: ["CRASH_LOOP", 3],
    looks: 5,
  },
  {
    what: "is unhealthy to the engine",
    body: { Cmd: ["sleep", "1000"], Healthcheck: { ...isThere, Retries: 1 } },
    error: ["UNHEALTHY", undefined],
    looks: 3,
  },
]) {
  test(`a container that ${what} is told by the engine's events`, options, async (t) => {
    const bench = await Bench.create(t, body);
    const outcome = failureOf(bench.waitReady());
    if (isTold) {
      await bench.listens();
      await bench.rests(2);
      await bench.call("POST", "/kill", { signal: "USR1" });
    }
    assert.deepEqual(await outcome, error);
    assert.ok(bench.looks <= looks, `looked ${bench.looks} times`);
  });
}

test("a container that somebody removes is told by the engine's events", options, async (t) => {
  const bench = await Bench.create(t, { Cmd: ["sleep", "1000"] });
  const outcome = assert.rejects(bench.waitReady());
  await bench.rests(2);
  await bench.call("DELETE", "", { force: true });
  await outcome;
  assert.ok(bench.looks <= 5, `looked ${bench.looks} times`);
});

test(
  "a container that is healthy to the engine, and loses its health, is told by the engine's events",
  options,
  async (t) => {
    const Healthcheck = { ...isThere, Retries: 1, StartPeriod: 60e9 };
    const bench = await Bench.create(t, { ...shell(["USR1", "touch /ok"], ["USR2", "rm /ok"]), Healthcheck });
    const ready = bench.waitReady();
    await bench.listens();
    await bench.rests(2);
    await bench.call("POST", "/kill", { signal: "USR1" });
    await ready;
    assert.ok(bench.looks <= 4, `looked ${bench.looks} times`);
    const lost = failureOf(bench.outlive());
    await bench.rests(3);
    await bench.call("POST", "/kill", { signal: "USR2" });
    assert.deepEqual(await lost, ["UNHEALTHY", undefined]);
  },
);

test("a deploy that waits for seconds asks the engine seldom, and tells why it failed", options, async () => {
  assert.ok(socket !== undefined);
  await using project = await Project.create();
  const name = `verdicts${randomBytes(4).toString("hex")}`;
  await using _ = new StackOnEngine(name, socket);
  await using counting = await countingSocket(socket, join(project.folder, "counting.sock"));
  await project.write({
    "pctl.yaml": `
name: ${name}
provider: here
providers: { here: { type: docker, options: { socket: ${counting.path} } } }
services:
  web:
    image: busybox
    command: [sh, -c, "sleep 4; echo no such table; exit 4"]
    ports: ["127.0.0.1:${project.port}:8080"]
`,
  });
  const startedAt = performance.now();
  const said = await project.expect(3, ["deploy", "--yes"]);
  const seconds = (performance.now() - startedAt) / 1000;
  assert.match(said, /no such table/);
  assert.match(said, /exit +code 4/);
  const counts = counting.counts();
  assert.equal(counts.get("GET /events"), 1);
  // Of the rollout, of each event, and one in two seconds, however slow all is; by polling it would be two a second at least.
  const inspects = counts.get("GET /containers/{}/json") ?? 0;
  assert.ok(inspects <= 12 + seconds / 2, `${inspects} looks in ${seconds} s`);
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    assert.ok(isCtrlPlaneError(error), String(error));
    return [error.failure?.verdict, error.failure?.exitCode];
  }
}

/** A container on the engine of the tests, and who waits for it, for whom no time passes. */
class Bench {
  looks = 0;
  readonly #engine: EngineClient;
  readonly #events: ContainerEvents;
  readonly #replica: { readonly id: string; readonly name: string };
  #rests = 0;
  #onRest: () => void = () => undefined;

  private constructor(engine: EngineClient, replica: { readonly id: string; readonly name: string }) {
    this.#replica = replica;
    this.#engine = {
      ...engine,
      json: (request) => {
        if (request.path === `/containers/${replica.id}/json`) this.looks += 1;
        return engine.json(request);
      },
    };
    this.#events = new ContainerEvents(this.#engine);
  }

  static async create(t: TestContext, body: object): Promise<Bench> {
    assert.ok(socket !== undefined);
    const engine = connectEngine({ kind: "socket", path: socket });
    const name = `verdicts-${randomBytes(4).toString("hex")}`;
    const all = { Image: "busybox", Labels: { "managed-by": "pctl" }, ...body };
    const path = "/containers/create";
    const { Id: id } = await engine.json<{ Id: string }>({ method: "POST", path, query: { name }, body: all });
    const bench = new Bench(engine, { id, name });
    // Neither the stream of events does, nor time that stands still.
    const staysAlive = setInterval(() => undefined, 60_000);
    t.after(async () => {
      clearInterval(staysAlive);
      bench.#events.close();
      await unlessMissing(bench.call("DELETE", "", { force: true }));
      await engine.close();
    });
    await bench.call("POST", "/start");
    return bench;
  }

  waitReady(): Promise<unknown> {
    // What is read of it.
    const release = { spec: {}, revision: { ports: [] } } as unknown as Release;
    const probe = (): Promise<string> => Promise.resolve("it does not answer");
    return waitReady(this.#parts, this.#replica, { release, timeoutMs: 1, probe }, this.#context);
  }

  outlive(): Promise<void> {
    return outlive(this.#parts, this.#replica, 1, this.#context);
  }

  /** The shell listens: until then a signal goes by, because it is the first process of its container. */
  async listens(): Promise<void> {
    const query = { stdout: true, follow: true };
    const path = `/containers/${this.#replica.id}/logs`;
    const said = await this.#engine.stream({ method: "GET", path, query });
    await once(said, "data");
    said.destroy();
  }

  /** Who waits rests for that many times; the second time, events are told. */
  async rests(times: number): Promise<void> {
    while (this.#rests < times) await new Promise<void>((resolve) => (this.#onRest = resolve));
  }

  /** About the container. */
  call(method: "POST" | "DELETE", rest: string, query: Readonly<Record<string, string | boolean>> = {}) {
    return this.#engine.json({ method, path: `/containers/${this.#replica.id}${rest}`, query });
  }

  get #parts() {
    return { engine: this.#engine, events: this.#events };
  }

  get #context() {
    const sleep = (_: number, signal?: AbortSignal): Promise<void> => {
      this.#rests += 1;
      this.#onRest();
      return new Promise((_resolve, reject) => {
        if (signal?.aborted === true) reject(signal.reason as Error);
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      });
    };
    return testContext({ clock: { now: () => 0, monotonic: () => 0, sleep } });
  }
}
