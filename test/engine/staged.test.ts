import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Plan, Stack, Stacks } from "@ctrlplane/core";
import { dieIn, finish, running, withBench, type Bench } from "./engine-fixture.ts";

const service = (image: string, strategy: string): string =>
  `  web: { image: "${image}", ports: [8080:3000], scale: { replica: 2 }, strategy: { ${strategy}, timeout: 5s, drain: 1s } }`;
const canary = (image: string, pause = "manual"): string =>
  service(image, `type: canary, steps: [5%, 50%], pause: ${pause}`);
const blueGreen = (image: string): string => service(image, "type: blue_green, pause: manual");

const old = ["shop-web-1 ok:1 50%", "shop-web-2 ok:1 50%"];
const whole = ["shop-web-1 ok:2 50%", "shop-web-2 ok:2 50%"];
/** Percents are rounded. */
const atFive = ["shop-web-1 ok:1 48%", "shop-web-1 ok:2 5%", "shop-web-2 ok:1 48%"];
const atZero = [...old, "shop-web-1 ok:2", "shop-web-2 ok:2"].toSorted();

async function deploy({ plane, stack }: Bench, services: string): Promise<number | undefined> {
  return (await finish(plane.stacks.deploy(await stack(services)))).exitCode;
}

async function paused(bench: Bench, services: (image: string) => string = canary): Promise<Stack> {
  assert.equal(await deploy(bench, services("ok:1")), 0);
  assert.equal(await deploy(bench, services("ok:2")), 4);
  return bench.stack(services("ok:2"));
}

const kinds = (plan: Plan): string[] => plan.actions.map((each) => each.kind);

test("a canary waits at its step without the lease, and nothing that is repeated moves it", async () => {
  await withBench(async (bench) => {
    const stack = await paused(bench);
    assert.deepEqual(await running(bench.platform), atFive);
    const { services, lease } = await bench.plane.stacks.status(stack);
    assert.equal(services[0]?.status?.state, "paused");
    assert.equal(services[0]?.unfinished?.pause?.step, 1);
    assert.equal(lease, undefined);
    assert.deepEqual(kinds(await bench.plane.stacks.plan(stack)), ["pause"]);
    assert.equal(await deploy(bench, canary("ok:2")), 4);
    assert.deepEqual(await running(bench.platform), atFive);
  });
});

test("from an empty checkout it is promoted step by step, and then nothing is paused", async () => {
  await withBench(async (bench) => {
    const stack = await paused(bench);
    const { stacks } = bench.otherPlane();
    assert.equal((await finish(stacks.promote(stack))).exitCode, 4);
    const half = ["shop-web-1 ok:1 25%", "shop-web-1 ok:2 50%", "shop-web-2 ok:1 25%"];
    assert.deepEqual(await running(bench.platform), half);
    assert.equal((await finish(stacks.promote(stack, ["web"]))).exitCode, 0);
    assert.deepEqual(await running(bench.platform), whole);
    assert.deepEqual(kinds(await bench.plane.stacks.plan(stack)), ["keep"]);
    await assert.rejects(stacks.promote(stack), { code: "CONFLICT", message: /nothing of shop is paused/ });
  });
});

test("blue_green runs beside, without traffic, until it is promoted", async () => {
  await withBench(async (bench) => {
    const stack = await paused(bench, blueGreen);
    assert.deepEqual(await running(bench.platform), atZero);
    assert.equal((await finish(bench.plane.stacks.promote(stack))).exitCode, 0);
    assert.deepEqual(await running(bench.platform), whole);
  });
});

test("abort brings the old release back to all of the traffic, and is a success", async () => {
  await withBench(async (bench) => {
    const stack = await paused(bench);
    assert.equal((await finish(bench.plane.stacks.abort(stack))).exitCode, 0);
    assert.deepEqual(await running(bench.platform), old);
    assert.equal((await bench.plane.stacks.status(stack)).services[0]?.status?.state, "serving");
  });
});

test("a deploy of another target aborts what is paused, and says so", async () => {
  await withBench(async (bench) => {
    await paused(bench);
    const plan = await bench.plane.stacks.plan(await bench.stack(canary("ok:3")));
    assert.deepEqual(kinds(plan), ["revert"]);
    assert.match(plan.actions[0]?.notes.join() ?? "", /release 2, paused at step 1 by change #2, is aborted/);
    assert.equal(await deploy(bench, canary("ok:3")), 4);
    assert.deepEqual(
      await running(bench.platform),
      atFive.map((each) => each.replace("ok:2", "ok:3")),
    );
  });
});

test("what ends while it is paused fails the release at the next deploy", async () => {
  await withBench(async (bench) => {
    const stack = await paused(bench);
    await bench.platform.harness.end({ name: "shop-web-1", behaviour: "ok:2" });
    assert.deepEqual(kinds(await bench.plane.stacks.plan(stack)), ["resume"]);
    assert.equal(await deploy(bench, canary("ok:2")), 3);
    assert.deepEqual(await running(bench.platform), old);
  });
});

test("commands that would have to guess which release is meant are refused; rollback takes it back; destroy ends it", async () => {
  await withBench(async (bench) => {
    const stack = await paused(bench);
    const { stacks } = bench.plane;
    const refused = { code: "CONFLICT", message: /release 2 is paused at step 1/ };
    const attempts: ((of: Stacks) => Promise<unknown>)[] = [
      (of) => of.scale(stack, { web: 3 }),
      (of) => of.stop(stack, ["web"]),
      (of) => of.restart(stack, []),
    ];
    for (const attempt of attempts) await assert.rejects(attempt(stacks), refused);
    assert.deepEqual(await running(bench.platform), atFive);
    assert.equal((await finish(stacks.rollback(stack))).exitCode, 0);
    assert.deepEqual(await running(bench.platform), old);
    assert.equal(await deploy(bench, canary("ok:3")), 4);
    assert.equal((await finish(stacks.destroy(stack))).exitCode, 0);
    assert.deepEqual(await running(bench.platform), []);
  });
});

test("a time that is over is no pause: the next deploy goes on, unless it was to go on only while paused", async () => {
  await withBench(async (bench) => {
    const services = (image: string): string => canary(image, "1ms");
    assert.equal(await deploy(bench, services("ok:1")), 0);
    assert.equal(await deploy(bench, services("ok:2")), 4);
    assert.equal(await deploy(bench, services("ok:2")), 4);
    const stack = await bench.stack(services("ok:2"));
    const deployment = (await bench.plane.stacks.status(stack)).services[0]?.unfinished?.deployment;
    assert.ok(deployment !== undefined);
    assert.equal((await finish(bench.plane.stacks.deploy(stack, { ifPaused: [deployment] }))).exitCode, 0);
    assert.deepEqual(await running(bench.platform), whole);
    await assert.rejects(bench.plane.stacks.deploy(stack, { ifPaused: [deployment] }), { code: "CONFLICT" });
  });
});

describe("killed at a call on the way to a pause, and deployed again", { concurrency: 4 }, () => {
  const scenarios = [
    { name: "canary", services: canary, reached: atFive },
    { name: "blue_green", services: blueGreen, reached: atZero },
  ];
  for (const { name, services, reached } of scenarios) {
    test(name, async (context) => {
      const step = process.env["SOAK"] === "1" ? 1 : 9;
      let points = 0;
      for (let nth = 1; ; nth += step) {
        let wasKilled = false;
        await withBench(async (bench) => {
          assert.equal(await deploy(bench, services("ok:1")), 0);
          const kind = points % 2 === 0 ? "kill-before" : "kill-after";
          wasKilled = await dieIn(bench, services("ok:2"), { nth, kind }, 4);
          const what = `${kind} ${nth}`;
          assert.equal(await deploy(bench, services("ok:2")), 4, what);
          assert.deepEqual(await running(bench.platform), reached, what);
          const stack = await bench.stack(services("ok:2"));
          // To the end takes 5 s of living side by side, so most go back.
          const { stacks } = bench.plane;
          const isPromoted = points === 0;
          const end = isPromoted ? stacks.promote(stack, [], { full: true }) : stacks.abort(stack);
          assert.equal((await finish(end)).exitCode, 0, what);
          assert.deepEqual(await running(bench.platform), isPromoted ? whole : old, what);
          assert.equal(Object.keys((await bench.platform.harness.dump()).replicas).length, 2, what);
        });
        if (!wasKilled) break;
        points += 1;
      }
      context.diagnostic(`${points} points`);
      assert.ok(points >= 4, `only ${points} calls were met`);
    });
  }
});
