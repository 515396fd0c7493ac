import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { countingSocket } from "../../bench/docker/counting-socket.ts";
import { randomFrom } from "../e2e/random.ts";
import { isSoak } from "../e2e/soak.ts";
import { outcomeOf, type Outcome } from "../e2e/workbench.ts";
import { dockerSocket } from "../engines/docker.ts";
import { orphansIn, remainsOf } from "../engines/remains.ts";
import { OldStack, type OldServices } from "./takeover.support.ts";
import { freePort } from "../free-port.ts";

const socket = (await dockerSocket()) ?? "";
const skip = socket === "" ? "missing: Docker Engine" : false;
/** `SEED=n` repeats a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
/** A plain run strikes one point in each of so many equal parts of a takeover, a soak every point. */
const parts = 4;

/**
 * `pctl` is killed in the moment in which it sends the n-th request that changes something: the engine carries that out, and nobody hears of it. Then one
 * plain deploy, of the same declaration or of another.
 */
test(
  "a takeover that is killed is finished by the next deploy, or taken back and done anew",
  { skip, timeout: 7_200_000 },
  async (t) => {
    const whole = await takeOver(Infinity, "new");
    t.diagnostic(`SEED=${seed}; a whole takeover changes something ${whole.requests} times`);
    assert.equal(whole.wasKilled, false);
    const random = randomFrom(seed);
    const every = Array.from({ length: whole.requests }, (_, index) => index + 1);
    const some = Array.from({ length: parts }, (_, part) => Math.ceil(((part + random()) * whole.requests) / parts));
    let killed = 0;
    for (const [index, point] of (isSoak ? every : some).entries()) {
      const { wasKilled } = await takeOver(point, index % 2 === 0 ? "new" : "newest");
      if (wasKilled) killed += 1;
    }
    t.diagnostic(`${killed} takeovers were killed before their end`);
    assert.ok(killed >= parts - 1);
  },
);

/** Of a stack of its own; killed at request `point`, and brought to `word` by a deploy after that. */
async function takeOver(
  point: number,
  word: string,
): Promise<{ readonly requests: number; readonly wasKilled: boolean }> {
  await using place = await Place.create();
  const { stack, ports } = place;
  const image = String((await stack.state())[`${stack.name}-web`]?.["image"]);
  await stack.declare(servicesOf(stack, ports, "new"));
  const { requests, outcome } = await place.struckAt(point, ["deploy", "--yes"]);

  const at = `SEED=${seed}, killed at change ${point}, then ${word}\n${outcome.stdout}${outcome.stderr}`;
  await stack.declare(servicesOf(stack, ports, word));
  const again = await stack.project.pctl(["deploy", "--yes"]);
  assert.equal(again.code, 0, `${at}\n${again.stdout}${again.stderr}`);
  const isOver = again.stdout.includes("Nothing to change");
  await isWhole(stack, ports, word, `${at}\n${again.stdout}${again.stderr}`, isOver);
  assert.equal(await stack.hasImage(image), false, `${at}: the image of pctl 1.1 is left`);
  return { requests, wasKilled: outcome.code === null };
}

test(
  "a restart of what pctl 1.1 made that is killed is finished by the next one",
  { skip, timeout: 7_200_000 },
  async (t) => {
    await using place = await Place.create();
    const { stack, ports } = place;
    const [before, { requests }] = [await stack.ids(), await place.struckAt(Infinity, ["restart"])];
    const random = randomFrom(seed);
    const every = Array.from({ length: requests }, (_, index) => index + 1);
    const some = [random() / 2, 0.5 + random() / 2].map((share) => Math.ceil(share * requests));
    let killed = 0;
    for (const point of isSoak ? every : some) {
      const { outcome } = await place.struckAt(point, ["restart"]);
      if (outcome.code === null) killed += 1;
      await stack.project.ok("restart");
      const at = `SEED=${seed}, killed at change ${point}\n${outcome.stdout}${outcome.stderr}`;
      assert.deepEqual(await stack.ids(), before, at);
      assert.deepEqual([...new Set(Object.values(await stack.containers()))], ["1.1 running"], at);
      assert.deepEqual(await Promise.all(ports.map((port) => stack.ask(port))), ["old", "old"], at);
      await stack.project.ok("plan", "--exit-code");
    }
    t.diagnostic(`SEED=${seed}; ${killed} restarts of ${requests} changes were killed before their end`);
    assert.ok(killed > 0);
  },
);

/** What pctl 1.1 deployed, on an engine that is reached by way of a counter. */
class Place implements AsyncDisposable {
  readonly stack: OldStack;
  readonly ports: readonly [number, number];
  readonly #ends: AsyncDisposableStack;
  readonly #strike: Strike;

  private constructor(stack: OldStack, ports: readonly [number, number], strike: Strike, ends: AsyncDisposableStack) {
    this.stack = stack;
    this.ports = ports;
    this.#strike = strike;
    this.#ends = ends;
  }

  static async create(): Promise<Place> {
    await using ends = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "takeover-"));
    ends.defer(() => rm(folder, { recursive: true, force: true }));
    const strike: Strike = { requests: 0, point: Infinity, kill: () => undefined };
    const counting = await countingSocket(socket, join(folder, "engine.sock"), (name) => {
      if (name.startsWith("GET") || name.startsWith("HEAD")) return;
      strike.requests += 1;
      if (strike.requests === strike.point) strike.kill();
    });
    ends.use(counting);
    const stack = ends.use(await OldStack.create({ kind: "socket", path: socket }, { socket: counting.path }));
    const ports = [await freePort(), await freePort()] as const;
    await stack.image(stack.worker);
    await stack.declare(servicesOf(stack, ports, "old"));
    await stack.deployed(servicesOf(stack, ports, "old"));
    return new Place(stack, ports, strike, ends.move());
  }

  /** Runs a command that is killed when it sends its `point`-th request that changes something; one that was not killed has to succeed. */
  async struckAt(
    point: number,
    words: readonly string[],
  ): Promise<{ readonly requests: number; readonly outcome: Outcome }> {
    const child = this.stack.project.start(words);
    child.stdin?.end();
    Object.assign(this.#strike, { requests: 0, point, kill: () => void child.kill("SIGKILL") });
    const outcome = await outcomeOf(child);
    this.#strike.point = Infinity;
    if (outcome.code !== null) assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
    return { requests: this.#strike.requests, outcome };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#ends.disposeAsync();
  }
}

interface Strike {
  requests: number;
  point: number;
  kill: () => void;
}

/** One behind a gateway, one in its place with its data, two replicas with data of their own. */
function servicesOf(stack: OldStack, [web, db]: readonly [number, number], word: string): OldServices {
  const env = { WORD: word };
  const volumes = [{ path: "/data" }];
  return {
    web: { image: "./Dockerfile", scale: { replica: 1 }, env, ports: [`${web}:3000`] },
    db: { image: stack.worker, scale: { replica: 1 }, env, ports: [`${db}:3000`], volumes },
    work: { image: stack.worker, scale: { replica: 2 }, env, volumes },
  };
}

/** What runs is what is declared and nothing else, with the data that was there. `isOver`: nothing was left to be done. */
async function isWhole(
  stack: OldStack,
  ports: readonly [number, number],
  word: string,
  at: string,
  isOver: boolean,
): Promise<void> {
  const running = ["db", "web", "web-gateway", "work-1", "work-2"];
  assert.deepEqual(await stack.containers(), Object.fromEntries(running.map((name) => [name, "ours running"])), at);
  const services = ["web", "db", "work"].map((each) => `${stack.name}-${each}`);
  const wanted = { containers: running.map((name) => `${stack.name}-${name}`), services };
  const remains = await remainsOf(stack.engine, stack.name);
  // Killed as it gave its lease back, it leaves the version before: the next change removes that.
  const lease = `twice: ledger stacks/${stack.name}/lease`;
  const orphans = orphansIn(remains, wanted).filter((each) => !isOver || each !== lease);
  assert.deepEqual(orphans, [], at);
  const old = remains.containers.filter(({ labels }) => labels["pctl-lineage"] === undefined);
  assert.deepEqual(
    old.map(({ name }) => name),
    [],
    at,
  );
  assert.deepEqual(await Promise.all(ports.map((port) => stack.ask(port))), [word, word], at);
  assert.deepEqual(await stack.volumes(), ["db-storage", "work-1-storage", "work-2-storage"], at);
  for (const name of ["db", "work-1", "work-2"]) assert.match(await stack.readIn(name, "/data/first"), /^\w+ old$/, at);
  await stack.project.ok("plan", "--exit-code");
}
