import assert from "node:assert/strict";
import { test } from "node:test";
import type { CutOverTraffic } from "../model/traffic.ts";
import { machineProvider } from "../provider/machine-provider.ts";
import type { ReplicaDriver } from "./replica-driver.ts";
import { instance, release, rollingStrategy } from "./samples.test.support.ts";
import { SimulatedMachines } from "./simulated-machines.test.support.ts";

const traffic: CutOverTraffic = { requests: 1204, failed: 0, closedAtDrain: 1, p99Ms: 31.2, elapsedMs: 5_000 };
const old = release(1, "ok");

/** Deploys over release 1, which serves already, with this way to measure; resolves with what was told of the traffic. */
async function deployed(
  image: string,
  measure: NonNullable<ReplicaDriver["measure"]>,
  world = new SimulatedMachines(),
) {
  const { driver, context, journal } = world.process();
  const provider = machineProvider({ driver: { ...driver, measure }, run: () => assert.fail("not simulated") });
  const request = { instance, replicas: 3, strategy: rollingStrategy, journal };
  await world.run(provider.deploy({ ...request, release: old, deployment: "dep_1" }, context));
  assert.equal(told(world).length, 0, "nothing served before the first release");
  const next = { ...request, release: release(2, image), previous: old, deployment: "dep_2" };
  const [outcome] = await Promise.allSettled([world.run(provider.deploy(next, context))]);
  return { outcome: outcome?.status, told: told(world), writes: world.writes };
}

function told(world: SimulatedMachines) {
  return world.told.filter((each) => each.type === "service.traffic");
}

test("measured from the first change of what serves until all that was replaced has ended", async () => {
  const world = new SimulatedMachines();
  const seen: string[] = [];
  const { outcome, told: events } = await deployed(
    "ok2",
    () => {
      seen.push(world.look());
      return Promise.resolve(() => {
        seen.push(world.look());
        return Promise.resolve(traffic);
      });
    },
    world,
  );
  assert.equal(outcome, "fulfilled");
  assert.deepEqual(seen, ["ok-1* ok-2* ok-3* ok2-1", "ok2-1* ok2-2* ok2-3*"]);
  assert.deepEqual(events, [
    {
      type: "service.traffic",
      message: "1204 requests meanwhile, 0 failed, p99 31 ms, 1 connection closed at drain",
      data: traffic,
    },
  ]);
});

test("a release that fails is measured, too", async () => {
  const { outcome, told: events } = await deployed("dies:3000", () => Promise.resolve(() => Promise.resolve(traffic)));
  assert.equal(outcome, "rejected");
  assert.deepEqual(
    events.map((each) => each.data),
    [traffic],
  );
});

test("what cannot be measured stops nothing, and nothing is told", async () => {
  const gone = new Error("nobody answers");
  const ways: NonNullable<ReplicaDriver["measure"]>[] = [
    () => Promise.reject(gone),
    () => Promise.resolve(() => Promise.reject(gone)),
    () => Promise.resolve(undefined),
    () => Promise.resolve(() => Promise.resolve(undefined)),
  ];
  for (const way of ways) {
    const { outcome, told: events } = await deployed("ok2", way);
    assert.deepEqual([outcome, events], ["fulfilled", []]);
  }
});
