import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { Clock, ProviderContext, Release } from "@ctrlplane/core/provider";
import { EngineError, type EngineClient, type EngineRequest } from "@ctrlplane/images";
import { ContainerEvents } from "./container-events.ts";
import type { ContainerDetails } from "./engine-types.ts";
import { EventStreams, idle, settled } from "./event-streams.test.support.ts";
import type { Prober } from "./prober.ts";
import { outlive, waitReady } from "./wait-ready.ts";

const replica = { id: "a", name: "shop-web" };
// What is read of it.
const release = { spec: {}, revision: { ports: [{ containerPort: 8080 }] } } as unknown as Release;
type State = ContainerDetails["State"];
const running = { Status: "running", Running: true, OOMKilled: false, StartedAt: "1", ExitCode: 0, Error: "" } as State;
const exited = { ...running, Status: "exited", Running: false, ExitCode: 4 } as const;
const unhealthy = { ...running, Health: { Status: "unhealthy", FailingStreak: 3, Log: [] } } as State;
const gone = new EngineError(404, "no such container");

/** One container on an engine, in a time of its own, which passes as fast as it can. */
class Bench {
  readonly streams = new EventStreams();
  state: State | Error = running;
  policy = "no";
  restarts = 0;
  inspects = 0;
  /** Of the engine, which knows its answer before. */
  answers = Promise.resolve();
  probes = 0;
  /** From then on time stands still. */
  stopsAt = Infinity;
  isStill = false;
  readonly #events: ContainerEvents;
  readonly #engine: EngineClient;
  #now = 0;

  constructor() {
    const json = async (): Promise<unknown> => {
      this.inspects += 1;
      const { state } = this;
      await this.answers;
      if (state instanceof Error) throw state;
      const HostConfig = { RestartPolicy: { Name: this.policy }, Memory: 0 };
      return { Id: "a", Name: "/shop-web", State: state, RestartCount: this.restarts, HostConfig, Config: {} };
    };
    const stream = (request: EngineRequest): Promise<IncomingMessage> =>
      request.path === "/events" && request.query?.["until"] === undefined
        ? this.streams.stream(request)
        : // Nothing was printed, and nothing happened before.
          Promise.resolve(Readable.from([]) as IncomingMessage);
    // All that is called.
    this.#engine = { json, stream, description: "an engine" } as unknown as EngineClient;
    this.#events = new ContainerEvents(this.#engine, { reopenMs: 0, lingerMs: 2 ** 31 - 1 });
  }

  get isLive(): boolean {
    return this.#events.isLive;
  }

  /** `probe`: what it finds. */
  waitReady(probe: () => string | undefined = () => "it is closed"): Promise<{ readonly startedAt: string }> {
    const asked: Prober = () => {
      this.probes += 1;
      return Promise.resolve(probe());
    };
    const gate = { release, timeoutMs: 60_000, probe: asked };
    return waitReady({ engine: this.#engine, events: this.#events }, replica, gate, this.#context());
  }

  outlive(ms: number): Promise<void> {
    return outlive({ engine: this.#engine, events: this.#events }, replica, ms, this.#context());
  }

  #context(): ProviderContext {
    const clock: Clock = {
      now: () => this.#now,
      monotonic: () => this.#now,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const abort = (): void => reject(signal?.reason as Error);
          if (signal?.aborted === true) abort();
          signal?.addEventListener("abort", abort);
          this.isStill = this.#now + ms >= this.stopsAt;
          if (this.isStill) return;
          this.#now += ms;
          setImmediate(resolve);
        }),
    };
    // What is called of it.
    return { clock, signal: new AbortController().signal } as ProviderContext;
  }
}

test("while nothing happens to a container its port is asked often, and the engine seldom", async () => {
  const bench = new Bench();
  await assert.rejects(bench.waitReady(), /port 8080 did not open within 60 s/);
  assert.ok(bench.probes > 120, `asked ${bench.probes} times`);
  // The first look, the one when events begin, the last one, and one in two seconds, for an event may be lost.
  assert.ok(bench.inspects <= 33, `looked ${bench.inspects} times`);
});

for (const [what, state, error] of [
  ["ended", exited, ["FAILED", "EXITED", 4]],
  ["ran out of memory", { ...exited, OOMKilled: true }, ["FAILED", "OOM", 4]],
  ["is unhealthy", unhealthy, ["FAILED", "UNHEALTHY", undefined]],
  ["was removed", gone, ["NOT_FOUND", undefined, undefined]],
] as const) {
  test(`a container that ${what}: its event ends the wait, by one look`, async () => {
    const bench = new Bench();
    bench.stopsAt = 10_000;
    const outcome = assert.rejects(bench.waitReady(), (thrown: unknown) => {
      assert.ok(isCtrlPlaneError(thrown));
      assert.deepEqual([thrown.code, thrown.failure?.verdict, thrown.failure?.exitCode], error);
      return true;
    });
    await settled("time stands still", () => bench.isStill);
    const before = bench.inspects;
    bench.state = state;
    bench.streams.tell("b", "die");
    bench.streams.tell("a", "die");
    await outcome;
    assert.equal(bench.inspects, before + 1);
  });
}

test("an event of a container that goes on: one look, and the wait goes on", async () => {
  const bench = new Bench();
  bench.stopsAt = 10_000;
  let isOpen = false;
  const ready = bench.waitReady(() => (isOpen ? undefined : "it is closed"));
  await settled("time stands still", () => bench.isStill);
  const before = bench.inspects;
  isOpen = true;
  bench.streams.tell("a", "start");
  assert.deepEqual(await ready, { startedAt: "1" });
  assert.equal(bench.inspects, before + 1);
});

test("an end whose event was lost is seen all the same", async () => {
  const bench = new Bench();
  const failure = bench.waitReady(() => {
    if (bench.probes === 10) bench.state = exited;
    return "it is closed";
  });
  await assert.rejects(failure, { code: "FAILED" });
  assert.ok(bench.probes < 30, `asked ${bench.probes} times`);
});

test("an event that comes while the engine is asked: it is asked again", async () => {
  const bench = new Bench();
  bench.stopsAt = 10_000;
  const rejected = assert.rejects(bench.waitReady(), { code: "FAILED" });
  await settled("time stands still", () => bench.isStill);
  const answer = Promise.withResolvers<void>();
  bench.answers = answer.promise;
  const before = bench.inspects;
  bench.streams.tell("a", "start");
  await settled("it is asked", () => bench.inspects === before + 1);
  bench.state = exited;
  bench.streams.tell("a", "die");
  await idle();
  answer.resolve();
  await rejected;
  assert.equal(bench.inspects, before + 2);
});

test("without events the engine is asked at each look, and the verdict is the same", async () => {
  const bench = new Bench();
  bench.streams.refusal = new EngineError(403, "not through this proxy");
  const failure = bench.waitReady(() => {
    if (bench.probes === 40) bench.state = exited;
    return "it is closed";
  });
  await assert.rejects(failure, { code: "FAILED" });
  assert.equal(bench.inspects, bench.probes + 1);
});

test("a stream that breaks: the engine is asked at each look until there is another one", async () => {
  const bench = new Bench();
  let [seldom, often] = [0, 0];
  const failure = bench.waitReady(() => {
    if (bench.probes === 20) {
      bench.streams.refusal = new Error("the engine restarts");
      bench.streams.last.destroy(new Error("cut"));
      seldom = bench.inspects;
    }
    if (bench.probes === 40) {
      often = bench.inspects;
      bench.streams.refusal = undefined;
      bench.stopsAt = 60_000;
    }
    if (bench.probes === 50) bench.stopsAt = 0;
    return "it is closed";
  });
  const rejected = assert.rejects(failure, { code: "FAILED" });
  await settled("time stands still", () => bench.isStill);
  assert.ok(seldom <= 6, `${seldom} looks`);
  assert.ok(often >= seldom + 18, `${often} looks`);
  assert.equal(bench.isLive, true);
  bench.state = exited;
  bench.streams.tell("a", "die");
  await rejected;
  assert.ok(bench.inspects <= often + 6, `${bench.inspects} looks`);
});

test("the start that is told is the one that runs when it answers, also where its event was lost", async () => {
  const bench = new Bench();
  const ready = bench.waitReady(() => {
    if (bench.probes < 10) return "it is closed";
    bench.state = { ...running, StartedAt: "2" };
    return undefined;
  });
  assert.deepEqual(await ready, { startedAt: "2" });
});

test("what answered and has ended since is not ready", async () => {
  const bench = new Bench();
  const failure = bench.waitReady(() => {
    if (bench.probes < 10) return "it is closed";
    bench.state = exited;
    return undefined;
  });
  await assert.rejects(failure, { code: "FAILED" });
});

test("one that has to live on is looked at seldom, and its end is told by its event", async () => {
  const bench = new Bench();
  await bench.outlive(60_000);
  assert.ok(bench.inspects <= 33, `looked ${bench.inspects} times`);

  bench.stopsAt = 70_000;
  const rejected = assert.rejects(bench.outlive(60_000), /ended after it had become ready/);
  await settled("time stands still", () => bench.isStill);
  const before = bench.inspects;
  bench.state = exited;
  bench.streams.tell("a", "die");
  await rejected;
  assert.equal(bench.inspects, before + 1);
});

test("one that was removed while it has to live on is told as gone, and is no failure of its release", async () => {
  const bench = new Bench();
  bench.stopsAt = 10_000;
  const rejected = assert.rejects(bench.outlive(60_000), (error) => {
    assert.ok(isCtrlPlaneError(error));
    assert.deepEqual([error.code, error.failure], ["NOT_FOUND", undefined]);
    return true;
  });
  await settled("time stands still", () => bench.isStill);
  bench.state = gone;
  bench.streams.tell("a", "destroy");
  await rejected;
});

for (const [what, state, restarts, error] of [
  ["stopped", exited, 1, ["UNAVAILABLE", undefined]],
  ["started again by others", { ...running, StartedAt: "2" }, 0, ["UNAVAILABLE", undefined]],
  ["started again by others, and had ended before", { ...running, StartedAt: "2" }, 1, ["UNAVAILABLE", undefined]],
  ["started again by the engine", { ...running, StartedAt: "2" }, 2, ["FAILED", "EXITED"]],
  ["out of memory", { ...exited, OOMKilled: true }, 1, ["FAILED", "OOM"]],
  ["not to be started again", { ...exited, Error: "no such network" }, 1, ["FAILED", "EXITED"]],
] as const) {
  test(`one that the engine keeps up, and that is ${what}: whose doing it is`, async () => {
    const bench = new Bench();
    [bench.policy, bench.restarts, bench.stopsAt] = ["unless-stopped", 1, 10_000];
    const outcome = assert.rejects(bench.outlive(60_000), (thrown: unknown) => {
      assert.ok(isCtrlPlaneError(thrown));
      assert.deepEqual([thrown.code, thrown.failure?.verdict], error);
      assert.doesNotMatch(thrown.message, /undefined/);
      return true;
    });
    await settled("time stands still", () => bench.isStill);
    [bench.state, bench.restarts] = [state, restarts];
    bench.streams.tell("a", "start");
    await outcome;
  });
}

test("one that is just being started again when it is looked at first has ended by itself", async () => {
  const bench = new Bench();
  [bench.policy, bench.restarts, bench.state] = ["unless-stopped", 1, { ...running, Status: "restarting" }];
  const outcome = assert.rejects(bench.outlive(60_000), { code: "FAILED" });
  bench.answers = bench.answers.then(() => void (bench.state = { ...running, StartedAt: "2" }));
  await outcome;
});

test("one that was stopped before it was ready says nothing of its release", async () => {
  const bench = new Bench();
  [bench.policy, bench.state] = ["unless-stopped", exited];
  await assert.rejects(bench.waitReady(), { code: "UNAVAILABLE", message: /^shop-web was stopped from outside: / });
});
