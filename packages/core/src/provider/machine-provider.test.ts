import assert from "node:assert/strict";
import { test } from "node:test";
import { instance, release } from "../rollout/samples.test.support.ts";
import type { Replica, ReplicaDriver } from "../rollout/replica-driver.ts";
import { Killed, SimulatedMachines } from "../rollout/simulated-machines.test.support.ts";
import { machineProvider } from "./machine-provider.ts";
import type { ReleaseRequest } from "./requests.ts";

const one = release(1, "ok");

type Command = (
  provider: ReturnType<typeof machineProvider>,
  process: ReturnType<SimulatedMachines["process"]>,
) => Promise<unknown>;

function requestOf(deployment: string, { journal }: ReturnType<SimulatedMachines["process"]>): ReleaseRequest {
  return { instance, release: one, replicas: 3, deployment, journal };
}

/** Runs a command in a process of its own. */
async function run(
  world: SimulatedMachines,
  command: Command,
  kill?: Parameters<SimulatedMachines["process"]>[0],
): Promise<unknown> {
  const process = world.process(kill);
  const provider = machineProvider({ driver: process.driver, run: () => assert.fail("not simulated") });
  return world.run(command(provider, process));
}

const deploy: Command = (provider, process) =>
  provider.deploy({ ...requestOf("dep_1", process), strategy: one.spec.strategy }, process.context);
const stop: Command = (provider, { context }) =>
  provider.stop({ instance, signal: "SIGTERM", graceMs: 0, drainMs: 0 }, context);
const start: Command = (provider, process) => provider.start(requestOf("dep_2", process), process.context);
const restart: Command = (provider, process) => provider.restart(requestOf("dep_3", process), process.context);
const scaleTo =
  (replicas: number): Command =>
  (provider, process) =>
    provider.scale({ ...requestOf("dep_4", process), replicas }, process.context);

const serving = "ok-1* ok-2* ok-3*";
const stopped = "ok-1(stopped) ok-2(stopped) ok-3(stopped)";

interface Case {
  readonly name: string;
  readonly before: readonly Command[];
  readonly command: Command;
  readonly end: string;
  readonly generation: number;
}

const cases: readonly Case[] = [
  { name: "stop", before: [deploy], command: stop, end: stopped, generation: 0 },
  { name: "start", before: [deploy, stop], command: start, end: serving, generation: 0 },
  { name: "restart", before: [deploy], command: restart, end: serving, generation: 1 },
  { name: "scale up", before: [deploy], command: scaleTo(5), end: "ok-1* ok-2* ok-3* ok-4* ok-5*", generation: 0 },
  { name: "scale down", before: [deploy], command: scaleTo(1), end: "ok-1*", generation: 0 },
  { name: "scale to nothing", before: [deploy], command: scaleTo(0), end: "", generation: 0 },
];

for (const { name, before, command, end, generation } of cases) {
  for (const when of ["before", "after"] as const) {
    test(`${name}, killed ${when} any call, is finished when it is called again`, async () => {
      let points = 0;
      for (let isKilled = true; isKilled; points += 1) {
        const world = new SimulatedMachines();
        for (const each of before) await run(world, each);
        if (name === "restart")
          world.invariant = () => assert.ok(world.isServing(), "a rolling restart serves throughout");
        isKilled = await run(world, command, { at: points + 1, when }).then(
          () => false,
          (error: unknown) => {
            assert.ok(error instanceof Error && (error instanceof Killed || error.cause !== undefined), String(error));
            return true;
          },
        );
        if (isKilled) await run(world, command);
        const where = `killed ${when} call ${points + 1}`;
        assert.equal(world.look(), end, where);
        assert.equal(world.stopped, name === "stop", where);
        assert.equal(world.settled?.generation, generation, where);
        assert.ok(
          world.machines.every((each) => each.generation === generation),
          where,
        );
      }
      assert.ok(points > 5, `only ${points} points`);
    });
  }
}

test("a failed start leaves it stopped, and says that nothing changed", async () => {
  const world = new SimulatedMachines();
  await run(world, deploy);
  await run(world, stop);
  for (const machine of world.machines) Object.assign(machine, { image: "crash" });
  await assert.rejects(run(world, start), (error: { code: string; failure: { reverted: boolean } }) => {
    assert.deepEqual([error.code, error.failure.reverted], ["FAILED", true]);
    return true;
  });
  assert.equal(world.stopped, true);
  assert.ok(world.machines.every((each) => each.state === "stopped"));
  assert.equal(world.set, undefined);
});

test("what does not exist is not found", async () => {
  const world = new SimulatedMachines();
  const process = world.process();
  const driver = { ...process.driver, instance: () => Promise.resolve(undefined) };
  const provider = machineProvider({ driver, run: () => assert.fail("not simulated") });
  await assert.rejects(provider.status({ instance }, process.context), { code: "NOT_FOUND" });
  await assert.rejects(provider.exec({ instance, command: ["sh"] }, process.context), { code: "NOT_FOUND" });
  await assert.rejects(provider.exec({ instance, command: ["sh"], replica: "x" }, process.context), {
    code: "NOT_FOUND",
    target: "x",
  });
});

test("a range means the end of it that the platform says, in every call", async () => {
  const replicas = { min: 1, max: 3 };
  for (const [rangeMeans, end] of [
    ["minimum", "ok-1*"],
    ["maximum", serving],
  ] as const) {
    const world = new SimulatedMachines();
    const process = world.process();
    const provider = machineProvider({ driver: process.driver, rangeMeans, run: () => assert.fail("not simulated") });
    const request = { ...requestOf("dep_1", process), replicas, strategy: one.spec.strategy };
    await world.run(provider.deploy(request, process.context));
    assert.equal(world.look(), end);
    assert.deepEqual(world.settled?.replicas, replicas);
    await world.run(provider.restart({ ...requestOf("dep_2", process), replicas }, process.context));
    assert.equal(world.look(), end);
  }
});

test("what nobody took over is looked into only where there is nothing of ours", async () => {
  const world = new SimulatedMachines();
  const process = world.process();
  const reached: string[] = [];
  const driver: ReplicaDriver = {
    ...process.driver,
    exec: (replica) => {
      reached.push(replica.name);
      return Promise.reject(new Error("not simulated"));
    },
  };
  const old: Replica = {
    ...one.revision,
    id: "old",
    name: "old",
    ordinal: 1,
    deployment: "",
    state: "ready",
    restarts: 0,
    routed: false,
  };
  const unadopted = (): Promise<readonly Replica[]> => Promise.resolve([old]);
  const provider = machineProvider({ driver, unadopted, run: () => assert.fail("not simulated") });
  const exec = (): Promise<unknown> =>
    provider.exec({ instance, command: ["sh"] }, process.context).catch(() => undefined);
  await exec();
  await run(world, deploy);
  await exec();
  assert.deepEqual(
    reached.map((name) => name === "old"),
    [true, false],
  );
});
