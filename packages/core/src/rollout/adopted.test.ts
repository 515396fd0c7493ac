import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError } from "../errors/error.ts";
import type { Release } from "../model/release.ts";
import type { StrategySpec } from "../model/spec.ts";
import { machineRevisionDriver } from "./machine-revision-driver.ts";
import type { ReplicaDriver } from "./replica-driver.ts";
import { rollOut } from "./roll-out.ts";
import { instance, recreateStrategy, release, rollingStrategy } from "./samples.test.support.ts";
import { SimulatedMachines } from "./simulated-machines.test.support.ts";

/** A replica that was taken over runs, and no release was ever settled. */
function legacy(): SimulatedMachines {
  const world = new SimulatedMachines();
  const of = { ordinal: 1, generation: 0, replicaHash: "pctl-1.1", deployment: "", restarts: 0, routed: false };
  world.machines.push({
    ...of,
    id: "old",
    name: "shop-web",
    state: "ready",
    image: "old",
    configuredBy: 0,
    isAdopted: true,
  });
  return world;
}

async function deploy(world: SimulatedMachines, wanted: Release, strategy: StrategySpec): Promise<unknown> {
  const { driver: machines, context, journal } = world.process();
  const driver: ReplicaDriver = {
    ...machines,
    // It waits for the release that takes its place.
    remove: (replica, inner) => (replica.isAdopted === true ? Promise.resolve() : machines.remove(replica, inner)),
    restore: () => {
      const adopted = world.machines.filter((each) => each.isAdopted === true);
      for (const each of adopted) each.state = "ready";
      world.writes.push("restore");
      return Promise.resolve(adopted.length > 0);
    },
  };
  const request = { release: wanted, replicas: 1, strategy, deployment: "dep_1", journal };
  const revisions = machineRevisionDriver(driver, instance, { deployment: "dep_1", release: wanted, total: () => 1 });
  return world.run(rollOut(revisions, request, context)).catch((error: unknown) => error);
}

for (const [name, strategy] of [
  ["recreate", recreateStrategy],
  ["rolling", rollingStrategy],
] as const) {
  test(`what was taken over, ${name}: it stops for a first release, which is settled then`, async () => {
    const world = legacy();
    assert.deepEqual(await deploy(world, release(1, "ok", 1), strategy), { state: "serving" });
    assert.equal(world.machines.find((each) => each.id === "old")?.state, "stopped");
    assert.equal(world.settled?.number, 1);
    assert.ok(!world.writes.includes("restore"));
  });

  test(`what was taken over, ${name}: it runs again, alone and by itself, where a first release fails`, async () => {
    const world = legacy();
    const error = await deploy(world, release(1, "crash", 1), strategy);
    assert.ok(isCtrlPlaneError(error) && error.failure?.reverted === true, String(error));
    assert.deepEqual(
      world.machines.map(({ id, state }) => [id, state]),
      [["old", "ready"]],
    );
    assert.equal(world.set, undefined);
    assert.equal(world.settled, undefined);
  });
}
