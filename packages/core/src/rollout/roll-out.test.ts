import assert from "node:assert/strict";
import { test } from "node:test";
import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import { revisionKey, type Release } from "../model/release.ts";
import type { ReplicaCount } from "../model/resources.ts";
import { machineRevisionDriver } from "./machine-revision-driver.ts";
import { rollOut } from "./roll-out.ts";
import type { RolloutRequest } from "./rollout.ts";
import { instance, recreateStrategy, release, rollingStrategy } from "./samples.test.support.ts";
import { Killed, SimulatedMachines } from "./simulated-machines.test.support.ts";

interface Deploy extends Partial<Omit<RolloutRequest, "release" | "journal">> {
  readonly kill?: { readonly at: number; readonly when: "before" | "after" };
  readonly abortWhen?: (world: SimulatedMachines) => boolean;
}

/** One process that deploys; resolves with the number of its calls. */
async function deploy(
  world: SimulatedMachines,
  wanted: Release,
  { kill, abortWhen, ...rest }: Deploy = {},
): Promise<number> {
  const { driver, context, journal, abort, calls } = world.process(kill);
  const request: RolloutRequest = {
    release: wanted,
    replicas: wanted.spec.scale.replicas,
    strategy: rollingStrategy,
    deployment: `dep_${wanted.number}`,
    journal,
    ...rest,
  };
  const total = (of: Release): number => {
    const count: ReplicaCount = of.id === wanted.id ? request.replicas : of.spec.scale.replicas;
    return typeof count === "number" ? count : count.min;
  };
  const watched = context.progress.bind(context);
  const seen = {
    ...context,
    progress: (progress: Parameters<typeof watched>[0]) => {
      watched(progress);
      if (abortWhen?.(world) === true) abort.abort();
    },
  };
  await world.run(
    rollOut(
      machineRevisionDriver(driver, instance, { deployment: request.deployment, release: wanted, total }),
      request,
      seen,
    ),
  );
  return calls();
}

async function failing(call: Promise<unknown>): Promise<CtrlPlaneError> {
  const error: unknown = await call.then(
    () => assert.fail("it was expected to fail"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isCtrlPlaneError(error), String(error));
  return error;
}

/** A platform that serves this release. */
async function serving(wanted: Release): Promise<SimulatedMachines> {
  const world = new SimulatedMachines();
  await deploy(world, wanted);
  world.decisions = [];
  world.writes.length = 0;
  world.told.length = 0;
  return world;
}

const [old, next] = [release(1, "ok"), release(2, "ok2")];

test("a first deploy starts all at once, routes, and waits for nothing else", async () => {
  const world = new SimulatedMachines();
  await deploy(world, old);
  assert.equal(world.look(), "ok-1* ok-2* ok-3*");
  assert.ok(world.now < 500, `it took ${world.now} ms`);
  assert.equal(world.settled?.number, 1);
  assert.deepEqual(
    world.told.filter((each) => each.type === "replica.routed").map((each) => each.message),
    ["3 of 3 routed"],
  );
});

for (const type of ["rolling", "recreate", "canary", "blue_green"] as const) {
  test(`a replica that was altered is replaced, and no other, without a pause: ${type}`, async () => {
    const world = await serving(old);
    const ids = world.machines.map((each) => each.id);
    Object.assign(world.machines[1] ?? {}, { isAltered: true });
    world.invariant = () => assert.ok(type === "recreate" || world.isServing(), world.look());
    await deploy(world, old, {
      previous: old,
      deployment: "dep_2",
      strategy: { ...rollingStrategy, type, steps: [50] },
    });
    const seen = world.machines.map((each) => `${each.ordinal} ${ids.includes(each.id) ? "same" : "new"}`);
    assert.deepEqual(seen.toSorted(), ["1 same", "2 new", "3 same"]);
    assert.equal(world.settled?.number, 1);
  });
}

test("an altered replica that serves stays where its release does not come up any more", async () => {
  const once = release(1, "ok", 1);
  const world = await serving(once);
  Object.assign(world.machines[0] ?? {}, { isAltered: true });
  const lost = { ...once, image: { ...once.image, declared: "crash" } };
  await failing(deploy(world, lost, { previous: lost, deployment: "dep_2" }));
  assert.ok(world.isServing(), world.look());
});

test("rolling routes batch by batch and keeps the old replicas until the new ones have lived 5 s", async () => {
  const world = await serving(old);
  let oldestGoneAt: number | undefined;
  const begun = world.now;
  world.invariant = () => {
    assert.ok(world.isServing(), "somebody serves");
    const kept = world.machines.filter((each) => each.image === "ok" && each.state === "ready").length;
    if (kept < 3) oldestGoneAt ??= world.now - begun;
  };
  await deploy(world, next, { previous: old });
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
  assert.ok(oldestGoneAt !== undefined && oldestGoneAt >= 5_000, `the first old one left after ${oldestGoneAt} ms`);
  const routed = world.told.filter((each) => each.type === "replica.routed");
  assert.deepEqual(
    routed.map((each) => each.message),
    ["1 of 3 routed", "2 of 3 routed", "3 of 3 routed"],
  );
  const order = world.writes.filter((each) => /^(route|stop|remove)/.test(each));
  assert.equal(order[0], "route ok-1,ok-2,ok-3,ok2-1");
  assert.ok(
    order.indexOf("route ok2-1,ok2-2,ok2-3") < order.findIndex((each) => each.startsWith("stop")),
    "all routed before one stops",
  );
});

test("a replica that was made and never started is made anew, and not started as it is", async () => {
  const one = release(1, "ok", 1);
  for (let at = 1; ; at += 1) {
    const world = new SimulatedMachines();
    await assert.rejects(deploy(world, one, { kill: { at, when: "after" } }), Killed);
    if (world.writes.length === 0) continue;
    assert.deepEqual([world.writes, world.look()], [["create ok-1"], "ok-1(stopped)"]);
    const [left] = world.machines;
    await deploy(world, one);
    assert.equal(world.look(), "ok-1*");
    assert.notEqual(world.machines[0]?.id, left?.id);
    return;
  }
});

test("recreate lets all that is old end first", async () => {
  const world = await serving(old);
  world.invariant = () => {
    const images = new Set(world.machines.map((each) => each.image));
    assert.ok(images.size <= 1, "never both at a time");
  };
  await deploy(world, next, { previous: old, strategy: recreateStrategy });
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
});

for (const strategy of [rollingStrategy, recreateStrategy]) {
  for (const image of ["crash", "never", "dies:3000"]) {
    if (strategy.type === "recreate" && image.startsWith("dies")) continue;
    test(`${strategy.type}: a release that does ${image} is reverted`, async () => {
      const world = await serving(old);
      if (strategy.type === "rolling")
        world.invariant = () => assert.ok(world.isServing(), "the old release serves throughout");
      const error = await failing(deploy(world, release(2, image), { previous: old, strategy }));
      assert.equal(error.code, "FAILED");
      assert.equal(error.failure?.reverted, true);
      assert.deepEqual(error.failure.logTail, ["bye"]);
      assert.equal(world.look(), "ok-1* ok-2* ok-3*");
      assert.equal(world.settled?.number, 1);
      assert.deepEqual(
        world.decisions.map((each) => each.kind),
        ["revert"],
      );
      assert.ok(
        world.told.some((each) => each.type === "replica.failed" && each.data?.["verdict"] === error.failure?.verdict),
      );
    });
  }
}

test("traffic comes back to the old replicas before anything new ends", async () => {
  const world = await serving(old);
  await failing(deploy(world, release(2, "dies:3000"), { previous: old }));
  const back = world.writes.lastIndexOf("route ok-1,ok-2,ok-3");
  assert.ok(back > 0 && back < world.writes.findIndex((each) => each.startsWith("stop")), world.writes.join("\n"));
});

test("traffic comes back to the old replicas that are left before the others are brought back", async () => {
  const world = await serving(old);
  const [, lost] = world.machines;
  assert.ok(lost);
  lost.state = "exited";
  await failing(deploy(world, release(2, "dies:3000"), { previous: old }));
  const back = world.writes.lastIndexOf("route ok-1,ok-3");
  assert.ok(back > 0 && back < world.writes.indexOf("start shop-web-2", back), world.writes.join("\n"));
  assert.equal(world.look(), "ok-1* ok-2* ok-3*");
});

test("a revert that was begun is finished, and nothing else, although the release would serve", async () => {
  const world = await serving(old);
  const abortWhen = (now: SimulatedMachines): boolean => now.told.some((each) => each.type === "replica.routed");
  await failing(deploy(world, next, { previous: old, abortWhen }));
  world.decisions.push({ kind: "revert", failure: { verdict: "OOM", exitCode: 137 } });
  const error = await failing(deploy(world, next, { previous: old }));
  assert.deepEqual(error.failure, { verdict: "OOM", exitCode: 137, reverted: true });
  assert.equal(world.look(), "ok-1* ok-2* ok-3*");
});

test("a first deploy that fails leaves nothing, and says that it was taken back", async () => {
  const world = new SimulatedMachines();
  const error = await failing(deploy(world, release(1, "crash")));
  assert.equal(error.failure?.reverted, true);
  assert.equal(world.look(), "");
  assert.equal(world.settled, undefined);
  assert.equal(world.set, undefined);
});

test("a broken release never keeps the next one out", async () => {
  const world = await serving(old);
  for (const machine of world.machines) machine.state = "exited";
  await deploy(world, next, { previous: old });
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
});

test("a way back to a release that is broken too ends, routed to it, and does not claim that it serves", async () => {
  const world = await serving(old);
  for (const machine of world.machines) machine.state = "exited";
  const broken = { ...old, revision: { ...old.revision } };
  for (const machine of world.machines) Object.assign(machine, { image: "crash" });
  const error = await failing(deploy(world, release(2, "never"), { previous: broken }));
  assert.equal(error.failure?.reverted, false);
  assert.equal(error.failure.verdict, "START_TIMEOUT");
  assert.ok(world.machines.every((each) => revisionKey(each) === revisionKey(old.revision)));
  assert.equal(Object.keys(world.set?.targets ?? {}).length, 3);
});

test("hold keeps the failed replicas unrouted, and the old release serves", async () => {
  const world = await serving(old);
  const strategy = { ...rollingStrategy, onFailure: "hold" } as const;
  const error = await failing(deploy(world, release(2, "never"), { previous: old, strategy }));
  assert.equal(error.failure?.reverted, false);
  assert.equal(world.look(), "never-1(starting) ok-1* ok-2* ok-3*");
  assert.deepEqual(world.decisions, []);

  await deploy(world, release(3, "ok3"), { previous: old });
  assert.equal(world.look(), "ok3-1* ok3-2* ok3-3*", "the next deploy clears it away");
});

test("a change of scale or routing replaces nothing", async () => {
  const world = await serving(old);
  const ids = new Set(world.machines.map((each) => each.id));
  const moved = release(2, "ok", 3, { ports: [{ containerPort: 80, hostPort: 9090, protocol: "http" }] });
  await deploy(world, moved, { previous: old });
  assert.equal(world.set?.release.number, 2);
  await deploy(world, release(3, "ok", 1), { previous: moved });
  assert.equal(world.look(), "ok-1*");
  await deploy(world, release(4, "ok", 2), { previous: moved });
  assert.equal(world.look(), "ok-1* ok-2*");
  assert.ok(ids.has(world.machines[0]?.id ?? ""));
  assert.equal(world.machines[0]?.configuredBy, 4);
  assert.equal(world.settled?.number, 4);
});

test("a port that is taken brings the old routes back", async () => {
  const world = await serving(old);
  world.takenPort = 9090;
  const moved = release(2, "ok", 2, { ports: [{ containerPort: 80, hostPort: 9090, protocol: "http" }] });
  const error = await failing(deploy(world, moved, { previous: old, previousReplicas: 3 }));
  assert.deepEqual([error.failure?.verdict, error.failure?.reverted], ["PORT_IN_USE", true]);
  assert.equal(world.look(), "ok-1* ok-2* ok-3*");
  assert.equal(world.set?.release.number, 1);
});

test("no replicas wanted: nothing runs, nothing is routed, and it is settled so", async () => {
  const world = await serving(old);
  await deploy(world, next, { previous: old, replicas: 0 });
  assert.equal(world.look(), "");
  assert.equal(world.set, undefined);
  assert.equal(world.settled?.replicas, 0);
});

test("a range means its minimum on machines", async () => {
  const world = new SimulatedMachines();
  await deploy(world, old, { replicas: { min: 2, max: 5 } });
  assert.equal(world.look(), "ok-1* ok-2*");
});

test("replicas of a restart serve a deploy that runs the same", async () => {
  const restarted = { ...old, revision: { ...old.revision, generation: 2 } };
  const world = await serving(restarted);
  const before = world.machines.map((each) => each.id);
  await deploy(world, { ...old, id: "rel_5", number: 5 }, { previous: old });
  assert.deepEqual(
    world.machines.map((each) => each.id),
    before,
  );
  assert.equal(world.settled?.generation, 2);
});

test("three revisions, ended replicas, a double: all end in the one that is wanted", async () => {
  const world = await serving(old);
  await failing(
    deploy(world, release(7, "never"), { previous: old, strategy: { ...rollingStrategy, onFailure: "hold" } }),
  );
  await deploy(world, next, {
    previous: old,
    abortWhen: ({ machines }) => machines.some((each) => each.image === "ok2"),
  }).catch(() => undefined);
  const [first] = world.machines;
  assert.ok(first);
  world.machines.push({ ...first, id: "double" });
  await deploy(world, release(9, "ok9"), { previous: old });
  assert.equal(world.look(), "ok9-1* ok9-2* ok9-3*");
});

test("a cancelled deploy says so, takes nothing back, and goes on when it is called again", async () => {
  const world = await serving(old);
  world.invariant = () => assert.ok(world.isServing());
  const error = await failing(
    deploy(world, next, { previous: old, abortWhen: (now) => now.told.some((each) => each.type === "replica.routed") }),
  );
  assert.equal(error.code, "CANCELLED");
  assert.deepEqual(world.decisions, []);
  assert.ok(world.look().includes("ok2-1*"), world.look());
  await deploy(world, next, { previous: old });
  assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*");
});

test("a lost lease ends it before the next write", async () => {
  const world = await serving(old);
  const { driver, context, journal } = world.process();
  const writes = world.writes.length;
  const lost = {
    ...context,
    fence: {
      ...context.fence,
      check: () => {
        throw new Killed("lost");
      },
    },
  };
  const request = { release: next, previous: old, replicas: 3, strategy: rollingStrategy, deployment: "dep_2" };
  const refusing = { decisions: journal.decisions, decide: () => Promise.reject(new Killed("lost")) };
  const revisions = machineRevisionDriver(driver, instance, { deployment: "dep_2", release: next, total: () => 3 });
  await assert.rejects(world.run(rollOut(revisions, { ...request, journal: refusing }, lost)), Killed);
  assert.equal(world.writes.length, writes);
});

test("a conflict on the way back does not hide why the release failed, unless the lease was lost", async () => {
  for (const target of ["shop-web-1", "lease"]) {
    const world = await serving(old);
    const { driver, context, journal } = world.process();
    const wanted = release(7, "never");
    const conflict = new CtrlPlaneError("CONFLICT", "is taken", { target });
    const refusing = {
      ...driver,
      list: (...args: Parameters<typeof driver.list>) =>
        journal.decisions.length > 0 ? Promise.reject(conflict) : driver.list(...args),
    };
    const revisions = machineRevisionDriver(refusing, instance, {
      deployment: "dep_7",
      release: wanted,
      total: () => 3,
    });
    const request = {
      release: wanted,
      previous: old,
      replicas: 3,
      strategy: rollingStrategy,
      deployment: "dep_7",
      journal,
    };
    const error = await failing(world.run(rollOut(revisions, request, context)));
    assert.deepEqual(
      world.decisions.map((each) => each.kind),
      ["revert"],
    );
    if (target === "lease") assert.equal(error, conflict);
    else
      assert.deepEqual(
        [error.code, error.failure?.verdict, error.failure?.reverted],
        ["FAILED", "START_TIMEOUT", false],
      );
  }
});

/** Kills the deploying process at every call it makes, in turn; a plain call afterwards has to end as if nothing had been. */
async function killEverywhere(
  strategy: typeof rollingStrategy,
  wanted: Release,
  when: "before" | "after",
): Promise<number> {
  for (let at = 1; ; at += 1) {
    const world = await serving(old);
    if (strategy.type === "rolling")
      world.invariant = () => assert.ok(world.isServing(), `nobody serves, killed ${when} call ${at}`);
    const options = { previous: old, strategy };
    const first = await deploy(world, wanted, { ...options, kill: { at, when } }).then(
      () => "done" as const,
      (error: unknown) => error,
    );
    const isKilled = first instanceof Error && [first, first.cause].some(wasKilled);
    const second = isKilled
      ? await deploy(world, wanted, options).then(
          () => "done" as const,
          (error: unknown) => error,
        )
      : first;
    const where = `killed ${when} call ${at}`;
    if (wanted.image.declared === "ok2") {
      assert.equal(second, "done", `${where}: ${String(second)}`);
      assert.equal(world.look(), "ok2-1* ok2-2* ok2-3*", where);
      assert.equal(world.settled?.number, 2, where);
    } else {
      assert.ok(isCtrlPlaneError(second) && second.failure?.reverted === true, `${where}: ${String(second)}`);
      assert.equal(world.look(), "ok-1* ok-2* ok-3*", where);
      assert.equal(world.settled?.number, 1, where);
    }
    if (!isKilled) return at;
  }
}

function wasKilled(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(wasKilled);
  return error instanceof Killed;
}

for (const strategy of [rollingStrategy, recreateStrategy]) {
  for (const wanted of [next, release(2, "crash")]) {
    for (const when of ["before", "after"] as const) {
      test(`${strategy.type} to ${wanted.image.declared}, killed ${when} any call, is finished by the next`, async () => {
        const points = await killEverywhere(strategy, wanted, when);
        assert.ok(points > 10, `only ${points} points`);
      });
    }
  }
}
