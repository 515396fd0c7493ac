import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError, type CtrlPlaneError } from "../errors/error.ts";
import { machineProvider } from "../provider/machine-provider.ts";
import type { DeployResult } from "../provider/requests.ts";
import { revisionKey, type Release } from "../model/release.ts";
import type { StrategySpec } from "../model/spec.ts";
import { blueGreenStrategy, canaryStrategy, instance, release } from "./samples.test.support.ts";
import { Killed, SimulatedMachines } from "./simulated-machines.test.support.ts";

const [old, next] = [release(1, "ok"), release(2, "ok2")];

interface Call {
  readonly to?: "promote" | "abort";
  readonly full?: boolean;
  readonly wanted?: Release;
  readonly kill?: Parameters<SimulatedMachines["process"]>[0];
  readonly told?: (calls: number) => void;
}

/** One process that deploys `next`, or advances what it left paused. */
async function call(world: SimulatedMachines, strategy: StrategySpec, of: Call = {}): Promise<DeployResult> {
  const { to, full = false, wanted = next, kill, told } = of;
  const { driver, journal, context, calls } = world.process(kill);
  const provider = machineProvider({ driver, run: () => assert.fail("not simulated") });
  const previous = world.settled === undefined ? {} : { previous: old };
  const request = { instance, release: wanted, replicas: 3, strategy, deployment: "dep_2", journal, ...previous };
  const result = await world.run(
    to === undefined ? provider.deploy(request, context) : provider.advance({ ...request, to, full }, context),
  );
  told?.(calls());
  return result;
}

async function serving(): Promise<SimulatedMachines> {
  const world = new SimulatedMachines();
  await call(world, canaryStrategy, { wanted: old });
  assert.deepEqual(world.decisions, [], "a first release is compared with nothing");
  assert.equal(world.look(), "ok-1* ok-2* ok-3*");
  world.writes.length = 0;
  world.invariant = () => assert.ok(world.isServing(), "somebody serves at every moment");
  return world;
}

/** Percent of the traffic by image, rounded to a millionth. */
function weights(world: SimulatedMachines): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [id, share] of Object.entries(world.set?.targets ?? {})) {
    const image = world.machines.find((each) => each.id === id)?.image ?? "?";
    sums[image] = (sums[image] ?? 0) + share;
  }
  for (const [image, sum] of Object.entries(sums)) sums[image] = Math.round(sum * 1e6) / 1e6;
  return sums;
}

async function failing(of: Promise<unknown>): Promise<CtrlPlaneError> {
  const error: unknown = await of.then(
    () => assert.fail("it was expected to fail"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isCtrlPlaneError(error), String(error));
  return error;
}

function end(world: SimulatedMachines, image: string, state: "exited" | "stopped" = "exited"): void {
  for (const each of world.machines) if (each.image === image) each.state = state;
}

test("canary: step by step, exact weights, the old replicas stay until the new ones have lived 5 s", async () => {
  const world = await serving();
  const first = await call(world, canaryStrategy);
  assert.deepEqual([first.state, first.state === "paused" && first.step], ["paused", 1]);
  assert.equal(world.look(), "ok-1* ok-2* ok-3* ok2-1*");
  assert.deepEqual(weights(world), { ok: 95, ok2: 5 });
  const second = await call(world, canaryStrategy, { to: "promote" });
  assert.deepEqual([second.state, second.state === "paused" && second.step], ["paused", 2]);
  assert.equal(world.look(), "ok-1* ok-2* ok-3* ok2-1* ok2-2*");
  assert.deepEqual(weights(world), { ok: 50, ok2: 50 });
  assert.equal(world.settled?.number, 1, "paused is not settled");
  const begun = world.now;
  let leftAt: number | undefined;
  world.invariant = () => {
    if (world.machines.some((each) => each.image === "ok" && each.state !== "ready")) leftAt ??= world.now - begun;
  };
  const last = await call(world, canaryStrategy, { to: "promote" });
  assert.equal(last.state, "serving");
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
  assert.ok(leftAt !== undefined && leftAt >= 5_000, `the old ones left after ${leftAt} ms`);
  assert.equal(world.settled?.number, 2);
  assert.deepEqual(
    world.decisions.map((each) => (each.kind === "step" ? `step ${each.step} ${each.weight}` : each.kind)),
    ["step 1 5", "pause", "promote", "step 2 50", "pause", "promote", "step 3 100"],
  );
});

test("blue_green: all replicas unrouted before the pause, one change of routes after it", async () => {
  const world = await serving();
  assert.equal((await call(world, blueGreenStrategy)).state, "paused");
  assert.equal(world.look(), "ok-1* ok-2* ok-3* ok2-1 ok2-2 ok2-3");
  assert.ok(!world.writes.some((each) => each.startsWith("route")), "the routes are as they were");
  await call(world, blueGreenStrategy, { to: "promote" });
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
  assert.equal(
    world.writes.find((each) => each.startsWith("route")),
    "route ok2-1,ok2-2,ok2-3",
  );
});

test("blue_green without a pause goes to the end", async () => {
  const world = await serving();
  assert.equal((await call(world, { ...blueGreenStrategy, pause: { ms: 0 } })).state, "serving");
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
});

test("promote with full leaves the further pauses out", async () => {
  const world = await serving();
  await call(world, canaryStrategy);
  assert.equal((await call(world, canaryStrategy, { to: "promote", full: true })).state, "serving");
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
  assert.ok(
    world.decisions.some((each) => each.kind === "step" && each.step === 2),
    "and no step",
  );
});

test("a deploy of what is paused stays paused, and writes nothing", async () => {
  const world = await serving();
  await call(world, canaryStrategy);
  const [writes, decisions] = [world.writes.length, world.decisions.length];
  assert.equal((await call(world, canaryStrategy)).state, "paused");
  assert.deepEqual([world.writes.length, world.decisions.length], [writes, decisions]);
});

test("a timed pause is over by the clock, and not before", async () => {
  const world = await serving();
  const strategy: StrategySpec = { ...canaryStrategy, steps: [5], pause: { ms: 600_000 } };
  const paused = await call(world, strategy);
  assert.equal(paused.state === "paused" && paused.until, new Date(world.now + 600_000).toISOString());
  world.now += 599_999;
  assert.equal((await call(world, strategy)).state, "paused");
  world.now += 1;
  assert.equal((await call(world, strategy)).state, "serving");
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
});

for (const strategy of [canaryStrategy, blueGreenStrategy]) {
  test(`${strategy.type}: abort brings the old release back, and may be repeated`, async () => {
    const world = await serving();
    await call(world, strategy);
    for (const _ of [1, 2]) {
      assert.equal((await call(world, strategy, { to: "abort" })).state, "serving");
      assert.equal(world.look(), "ok-1* ok-2* ok-3*");
      assert.deepEqual(weights(world), { ok: 100 });
    }
    assert.equal(world.decisions.filter((each) => each.kind === "abort").length, 1);
    assert.equal((await call(world, strategy, { to: "promote" })).state, "serving");
    assert.equal(world.look(), "ok-1* ok-2* ok-3*", "nothing follows an abort");
  });

  for (const to of [undefined, "promote"] as const) {
    for (const state of ["exited", "stopped"] as const) {
      test(`${strategy.type}: a replica that ${state} while paused fails the release at ${to ?? "deploy"}`, async () => {
        const world = await serving();
        await call(world, strategy);
        end(world, "ok2", state);
        const error = await failing(call(world, strategy, to === undefined ? {} : { to }));
        assert.deepEqual([error.code, error.failure?.reverted], ["FAILED", true]);
        assert.equal(world.look(), "ok-1* ok-2* ok-3*");
        assert.deepEqual(weights(world), { ok: 100 });
      });
    }
  }

  for (const image of ["crash", "never"]) {
    test(`${strategy.type}: a release that does ${image} is reverted`, async () => {
      const world = await serving();
      const error = await failing(call(world, strategy, { wanted: release(2, image) }));
      assert.equal(error.failure?.reverted, true);
      assert.equal(world.look(), "ok-1* ok-2* ok-3*");
    });
  }

  test(`${strategy.type}: one that dies after the cut-over is reverted`, async () => {
    const world = await serving();
    const dying = release(2, "dies:3000");
    const error = await failing(call(world, { ...strategy, pause: { ms: 0 } }, { wanted: dying }));
    assert.equal(error.failure?.reverted, true);
    assert.equal(world.look(), "ok-1* ok-2* ok-3*");
  });

  test(`${strategy.type}: where nothing old is ready all comes at once, without a pause`, async () => {
    const world = await serving();
    world.invariant = () => undefined;
    end(world, "ok");
    assert.equal((await call(world, strategy)).state, "serving");
    assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
  });

  test(`${strategy.type}: killed at any call, the same call goes on, and decides nothing twice`, async () => {
    const story = async (kill: Call["kill"], at: number): Promise<{ world: SimulatedMachines; calls: number[] }> => {
      const world = await serving();
      const calls: number[] = [];
      for (const [index, to] of ([undefined, "promote", "promote"] as const).entries()) {
        const once = (more: Call): Promise<unknown> =>
          call(world, strategy, { ...more, ...(to === undefined ? {} : { to }) });
        if (world.settled?.number === 2) break;
        if (kill !== undefined && index === at) await assert.rejects(once({ kill }), Killed);
        // Killed after it was decided, the second `promote` must not promote the next step: that is what the command
        // asks before it calls; here only a deploy goes on.
        const isDecided = kill !== undefined && index === at && world.decisions.at(-1)?.kind !== "pause";
        if (isDecided) await call(world, strategy);
        else if (!(kill !== undefined && index === at && to !== undefined && pauses(world) > index)) {
          await once({ told: (count) => calls.push(count) });
        }
      }
      return { world, calls };
    };
    const { world: plain, calls } = await story(undefined, -1);
    assert.equal(plain.look(), "ok2-1* ok2-2* ok2-3*");
    for (const [index, count] of calls.entries()) {
      for (let at = 1; at <= count; at += 1) {
        for (const when of ["before", "after"] as const) {
          const { world } = await story({ at, when }, index);
          const where = `killed ${when} call ${at} of command ${index}`;
          assert.equal(world.look(), plain.look(), where);
          assert.equal(world.settled?.number, 2, where);
          const steps = world.decisions.flatMap((each) => (each.kind === "step" ? each.step : []));
          assert.deepEqual(steps, [...new Set(steps)], where);
        }
      }
    }
  });
}

function pauses(world: SimulatedMachines): number {
  return world.decisions.filter((each) => each.kind === "pause").length;
}

test("restart, scale with resources and rollback of a canary do not pause", async () => {
  const world = await serving();
  const { driver, journal, context } = world.process();
  const provider = machineProvider({ driver, run: () => assert.fail("not simulated") });
  const canary = { ...old, spec: { ...old.spec, strategy: canaryStrategy } };
  const request = { instance, release: canary, replicas: 3, deployment: "dep_5", journal };
  await world.run(provider.restart(request, context));
  assert.equal(world.settled?.generation, 1);
  const back = { ...request, release: next, deployment: "dep_6", strategy: canaryStrategy };
  assert.equal((await world.run(provider.rollback({ ...back, previous: canary }, context))).state, "serving");
  assert.equal(world.settled?.replicaHash, revisionKey(next.revision));
});
