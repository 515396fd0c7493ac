import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError } from "../errors/error.ts";
import type { Release } from "../model/release.ts";
import { machineProvider } from "../provider/machine-provider.ts";
import { isScheduled } from "./scheduled-job.ts";
import { instance, recreateStrategy, release } from "./samples.test.support.ts";
import { Killed, SimulatedMachines } from "./simulated-machines.test.support.ts";

const job = { kind: "job", ports: [], strategy: recreateStrategy } as const;
const scheduled = (number: number, image = "done:50"): Release =>
  release(number, image, 1, { ...job, job: { retry: false, schedule: `${number} 3 * * *`, timezone: "UTC" } });
const plain = (number: number, image = "done:50"): Release =>
  release(number, image, 1, { ...job, job: { retry: false } });
const service = (number: number, image = "ok"): Release => release(number, image, 2, { strategy: recreateStrategy });

type Kill = Parameters<SimulatedMachines["process"]>[0];

/** A deploy in a process of its own; `resumes`: of one that was killed. */
async function deploy(
  world: SimulatedMachines,
  to: Release,
  { from, kill, resumes = false }: { from?: Release | undefined; kill?: Kill; resumes?: boolean } = {},
): Promise<string> {
  if (!resumes) world.decisions = [];
  const { driver, context, journal, calls } = world.process(kill);
  const provider = machineProvider({ driver, run: () => assert.fail("not simulated") });
  const { strategy, scale } = to.spec;
  const previous = from === undefined ? {} : { previous: from };
  const request = {
    instance,
    release: to,
    replicas: scale.replicas,
    strategy,
    deployment: `dep_${to.number}`,
    journal,
  };
  try {
    return (await world.run(provider.deploy({ ...request, ...previous }, context))).state;
  } catch (error) {
    throw kill !== undefined && calls() >= kill.at ? new Killed("killed") : error;
  }
}

function look(world: SimulatedMachines): string {
  const { settled, registered } = world;
  const kind =
    settled?.schedule !== undefined ? "scheduled" : settled?.completedAt !== undefined ? "completed" : "serves";
  return `${settled?.number ?? "none"} ${kind}, ${registered?.release.number ?? "nothing"} registered, ${world.look()}`;
}

const changes: readonly { name: string; from?: Release; to: Release; end: string }[] = [
  { name: "a first schedule", to: scheduled(1), end: "1 scheduled, 1 registered, " },
  { name: "another schedule", from: scheduled(1), to: scheduled(2), end: "2 scheduled, 2 registered, " },
  { name: "a service becomes one", from: service(1), to: scheduled(2), end: "2 scheduled, 2 registered, " },
  {
    name: "it becomes a service",
    from: scheduled(1),
    to: service(2),
    end: "2 serves, nothing registered, ok-1* ok-2*",
  },
  { name: "a job becomes one", from: plain(1), to: scheduled(2), end: "2 scheduled, 2 registered, " },
  { name: "it becomes a job", from: scheduled(1), to: plain(2), end: "2 completed, nothing registered, " },
  {
    name: "it becomes a service that fails",
    from: scheduled(1),
    to: service(2, "crash"),
    end: "1 scheduled, 1 registered, ",
  },
  {
    name: "it becomes a job that fails",
    from: scheduled(1),
    to: plain(2, "crash"),
    end: "1 scheduled, 1 registered, ",
  },
];

for (const { name, from, to, end } of changes) {
  const isFailing = to.revision.image.declared === "crash";
  const ended = async (call: Promise<string>): Promise<void> => {
    if (!isFailing) return void (await call);
    const error: unknown = await call.then(
      () => assert.fail("it did not fail"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isCtrlPlaneError(error) && error.failure?.reverted === true, String(error));
  };
  for (const when of ["before", "after"] as const) {
    test(`${name}, killed ${when} any call, is finished when it is called again`, async () => {
      let points = 0;
      for (let isKilled = true; isKilled; points += 1) {
        const world = new SimulatedMachines();
        if (from !== undefined) await deploy(world, from);
        isKilled = false;
        await ended(
          deploy(world, to, { from, kill: { at: points + 1, when } }).catch((error: unknown) => {
            isKilled = error instanceof Killed;
            if (isKilled) return deploy(world, to, { from, resumes: true });
            throw error;
          }),
        );
        assert.equal(look(world), end, `killed ${when} call ${points + 1}`);
      }
      assert.ok(points > 3, `only ${points} points`);
    });
  }
}

test("while it is registered nothing runs, and the deploy returns at once", async () => {
  const world = new SimulatedMachines();
  assert.equal(await deploy(world, scheduled(1)), "scheduled");
  assert.deepEqual(world.writes, ["schedule 1", "settle 1", "markStopped false"]);
  assert.equal(world.now, 0);
});

test("stop suspends, start registers it again; there is nothing to scale or restart", async () => {
  const world = new SimulatedMachines();
  await deploy(world, scheduled(1));
  const { driver, context, journal } = world.process();
  const provider = machineProvider({ driver, run: () => assert.fail("not simulated") });
  const stopped = await world.run(provider.stop({ instance, signal: "SIGTERM", graceMs: 0, drainMs: 0 }, context));
  assert.deepEqual([stopped.state, stopped.settled?.number], ["stopped", 1]);
  world.registered = undefined;
  const request = { instance, release: scheduled(1), replicas: 1, deployment: "dep_9", journal };
  const started = await world.run(provider.start(request, context));
  assert.deepEqual([started.state, started.stopped, started.schedule?.release], ["scheduled", false, 1]);
  await assert.rejects(provider.scale({ ...request, replicas: 2 }, context), /nothing to scale/);
  await assert.rejects(provider.restart(request, context), /nothing to restart/);
});

test("where the platform has no schedules it is refused before anything is done", async () => {
  const world = new SimulatedMachines();
  const { driver, context, journal } = world.process();
  const { schedule: _, ...without } = driver;
  const provider = machineProvider({ driver: without, run: () => assert.fail("not simulated") });
  const to = scheduled(1);
  const request = { instance, release: to, replicas: 1, strategy: to.spec.strategy, deployment: "dep_1", journal };
  await assert.rejects(provider.deploy(request, context), /runs nothing by a schedule/);
  assert.deepEqual(world.writes, []);
});

/** As the engine goes back: by the deployment that was begun, an attempt of a job first let come to its end. */
async function goBack(world: SimulatedMachines, back: Release, begun: Release): Promise<void> {
  const { driver, context, journal } = world.process();
  const provider = machineProvider({ driver, run: () => assert.fail("not simulated") });
  const rollBack = async (to: Release): Promise<void> => {
    const { strategy, scale } = to.spec;
    const deployment = `dep_${begun.number}`;
    const request = { instance, release: to, replicas: scale.replicas, strategy, deployment, journal };
    await world.run(provider.rollback({ ...request, previous: begun }, context));
  };
  if (begun.spec.kind === "job" && !isScheduled(begun)) await rollBack(begun);
  await rollBack(back);
}

const returns: readonly { name: string; back: Release; begun: Release; end: string }[] = [
  { name: "from a service", back: scheduled(1), begun: service(2), end: "1 scheduled, 1 registered, " },
  { name: "from another schedule", back: scheduled(1), begun: scheduled(2), end: "1 scheduled, 1 registered, " },
  { name: "from a job", back: scheduled(1), begun: plain(2), end: "1 scheduled, 1 registered, " },
  { name: "to a job", back: plain(1), begun: scheduled(2), end: "1 completed, nothing registered, " },
  { name: "to a job, from a service", back: plain(1), begun: service(2), end: "1 completed, nothing registered, " },
  { name: "to a service", back: service(1), begun: scheduled(2), end: "1 serves, nothing registered, ok-1* ok-2*" },
];

for (const { name, back, begun, end } of returns) {
  test(`back ${name}, which was killed at any call: nothing of it is left`, async () => {
    let isKilled = true;
    for (let at = 1; isKilled; at += 1) {
      const world = new SimulatedMachines();
      await deploy(world, back);
      isKilled = await deploy(world, begun, { from: back, kill: { at, when: "after" } }).then(
        () => false,
        () => true,
      );
      world.decisions = [];
      // A job that had completed is not undone.
      if (!isKilled && begun.spec.kind === "job" && !isScheduled(begun)) break;
      await goBack(world, back, begun);
      assert.equal(look(world), end, `killed after call ${at}`);
    }
  });
}
