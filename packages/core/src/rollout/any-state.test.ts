import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isCtrlPlaneError } from "../errors/error.ts";
import { machineRevisionDriver } from "./machine-revision-driver.ts";
import { rollOut } from "./roll-out.ts";
import { settledRelease, type RolloutRequest } from "./rollout.ts";
import {
  blueGreenStrategy,
  canaryStrategy,
  instance,
  recreateStrategy,
  release,
  rollingStrategy,
} from "./samples.test.support.ts";
import { SimulatedMachines, type Machine } from "./simulated-machines.test.support.ts";

const [old, wanted, other] = [release(1, "ok"), release(2, "ok2"), release(3, "ok3")];
const broken = release(2, "crash");

const machine = fc.record({
  of: fc.constantFrom(old, wanted, other),
  ordinal: fc.integer({ min: 1, max: 5 }),
  state: fc.constantFrom("ready", "exited", "stopped", "starting" as Machine["state"]),
  deployment: fc.constantFrom("dep_1", "dep_2", "dep_3"),
  isRouted: fc.boolean(),
});

const situation = fc.record({
  machines: fc.array(machine, { maxLength: 8 }),
  settled: fc.constantFrom(undefined, old, wanted, other),
  stopped: fc.boolean(),
  strategy: fc.constantFrom(
    rollingStrategy,
    recreateStrategy,
    { ...rollingStrategy, batch: { percent: 50 } },
    canaryStrategy,
    blueGreenStrategy,
  ),
  replicas: fc.integer({ min: 0, max: 4 }),
  hasPrevious: fc.boolean(),
});

type Situation = typeof situation extends fc.Arbitrary<infer Value> ? Value : never;

function worldOf({ machines, settled, stopped }: Situation): SimulatedMachines {
  const world = new SimulatedMachines();
  const alive = new Set<string>();
  machines.forEach(({ of, ordinal, state, deployment }, index) => {
    // Two that run under one name are the platform's lie; the simulation itself would refuse to start the second.
    const key = `${of.number}-${ordinal}`;
    const isTwin = alive.has(key) && state === "starting";
    if (state === "ready" || state === "starting") alive.add(key);
    const { replicaHash, generation } = of.revision;
    const made = { id: `x${index}`, name: `shop-web-${ordinal}`, ordinal, replicaHash, generation, deployment };
    const times = state === "ready" ? { readyAt: 0 } : state === "starting" ? { readyAt: 100 } : {};
    const known = { image: of.image.declared, configuredBy: of.number, routed: false, restarts: 0 };
    world.machines.push({ ...made, ...known, ...times, state: isTwin ? "ready" : state });
  });
  const routed = machines.flatMap(({ isRouted }, index) => (isRouted ? [`x${index}`] : []));
  const targets = Object.fromEntries(routed.map((id) => [id, 100 / routed.length]));
  if (routed.length > 0) world.set = { release: old, targets };
  if (settled !== undefined) world.settled = settledRelease(settled, { deployment: "dep_0", replicas: 3 });
  world.stopped = stopped;
  return world;
}

function request(
  { strategy, replicas, hasPrevious }: Situation,
  target: typeof old,
  world: SimulatedMachines,
): RolloutRequest {
  const previous = hasPrevious ? { previous: old, previousReplicas: 2 } : {};
  const { journal } = world.process();
  return { release: target, replicas, strategy, deployment: "dep_9", journal, ...previous };
}

/** To the end: what pauses is promoted. */
async function drive(world: SimulatedMachines, of: RolloutRequest): Promise<void> {
  const { driver, context } = world.process();
  const total = (each: typeof old): number => (each.id === old.id ? 2 : Number(of.replicas));
  const revisions = machineRevisionDriver(driver, instance, { deployment: of.deployment, release: of.release, total });
  while ((await world.run(rollOut(revisions, of, context))).state === "paused")
    await of.journal.decide({ kind: "promote" });
}

function expected(image: string, replicas: number): string {
  return Array.from({ length: replicas }, (_, index) => `${image}-${index + 1}*`).join(" ");
}

test("from any state a deploy ends with the wanted release alone, routed and settled", async () => {
  await fc.assert(
    fc.asyncProperty(situation, async (given) => {
      const world = worldOf(given);
      await drive(world, request(given, wanted, world));
      assert.equal(world.look(), expected("ok2", given.replicas));
      assert.equal(world.settled?.number, 2);
      assert.equal(world.stopped, false);
    }),
    { numRuns: 300 },
  );
});

test("of two replicas with one ordinal the routed one stays", async () => {
  const machines: Situation["machines"] = [
    { of: wanted, ordinal: 1, state: "starting", deployment: "dep_1", isRouted: false },
    { of: wanted, ordinal: 1, state: "ready", deployment: "dep_1", isRouted: false },
    { of: old, ordinal: 1, state: "ready", deployment: "dep_1", isRouted: false },
  ];
  const given = {
    machines,
    settled: undefined,
    stopped: false,
    strategy: rollingStrategy,
    replicas: 1,
    hasPrevious: true,
  };
  const world = worldOf(given);
  await drive(world, request(given, wanted, world));
  assert.equal(world.look(), expected("ok2", 1));
});

test("from any state a release that fails ends with the previous one alone, routed", async () => {
  await fc.assert(
    fc.asyncProperty(situation, async (some) => {
      const given = { ...some, hasPrevious: true, replicas: Math.max(1, some.replicas) };
      const world = worldOf(given);
      const thrown: unknown = await drive(world, request(given, broken, world)).catch((error: unknown) => error);
      assert.ok(isCtrlPlaneError(thrown) && thrown.failure?.reverted === true, String(thrown));
      assert.equal(world.look(), expected("ok", 2));
      assert.equal(world.settled?.number, 1);
    }),
    { numRuns: 300 },
  );
});
