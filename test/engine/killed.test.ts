import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dieIn, finish, running, withBench, type Bench } from "./engine-fixture.ts";

const service = (image: string, strategy: string): string =>
  `  web: { image: "${image}", ports: [8080:3000], scale: { replica: 2 }, strategy: { type: ${strategy}, timeout: 5s, drain: 1s } }`;

/** Whatever was left: one plain deploy, and what runs is what is declared, once. */
async function heals(bench: Bench, services: string, image: string): Promise<void> {
  const { exitCode, change } = await finish(bench.plane.stacks.deploy(await bench.stack(services)));
  assert.equal(exitCode, 0, JSON.stringify(change.result));
  assert.deepEqual(await running(bench.platform), [`shop-web-1 ${image} 50%`, `shop-web-2 ${image} 50%`]);
  const state = await bench.platform.harness.dump();
  assert.equal(Object.keys(state.replicas).length, 2, "no replica is left over, stopped or not");
  assert.deepEqual(
    Object.keys(state.ledger).filter((name) => name.includes("intent")),
    [],
    "nothing is left unfinished",
  );
  const plan = await bench.plane.stacks.plan(await bench.stack(services));
  assert.deepEqual(
    plan.actions.map((each) => each.kind),
    ["keep"],
  );
}

interface Scenario {
  readonly name: string;
  readonly strategy: "recreate" | "rolling";
  /** Deployed whole before. */
  readonly before?: string;
  /** What the killed process deploys, and what is wanted afterwards. */
  readonly during: string;
  readonly after: string;
  /** Every how many calls one is tried; with SOAK=1 every one. */
  readonly step: number;
}

const scenarios: readonly Scenario[] = [
  { name: "a first deploy, wanted again", strategy: "recreate", during: "ok:1", after: "ok:1", step: 5 },
  {
    name: "a second release, wanted again",
    strategy: "recreate",
    before: "ok:1",
    during: "ok:2",
    after: "ok:2",
    step: 6,
  },
  {
    name: "a second release, the first wanted again",
    strategy: "recreate",
    before: "ok:1",
    during: "ok:2",
    after: "ok:1",
    step: 6,
  },
  {
    name: "a rolling second release, a third wanted",
    strategy: "rolling",
    before: "ok:1",
    during: "ok:2",
    after: "ok:3",
    step: 14,
  },
  {
    name: "a rolling second release that fails, a third wanted",
    strategy: "rolling",
    before: "ok:1",
    during: "crash:1",
    after: "ok:3",
    step: 14,
  },
];

describe("the engine killed at a call, before or after it took effect", { concurrency: 5 }, () => {
  for (const scenario of scenarios) {
    test(`killed: ${scenario.name}`, async (context) => {
      let points = 0;
      for (let nth = 1; ; nth += process.env["SOAK"] === "1" ? 1 : scenario.step) {
        let wasKilled = false;
        await withBench(async (bench) => {
          const { strategy } = scenario;
          if (scenario.before !== undefined)
            await finish(bench.plane.stacks.deploy(await bench.stack(service(scenario.before, strategy))));
          const kind = points % 2 === 0 ? "kill-before" : "kill-after";
          wasKilled = await dieIn(bench, service(scenario.during, strategy), { nth, kind }).catch((error: unknown) => {
            // A version that fails makes the child end with 3 once no kill strikes any more.
            if (scenario.during.startsWith("crash")) return false;
            throw error;
          });
          await heals(bench, service(scenario.after, strategy), scenario.after);
        });
        if (!wasKilled) break;
        points += 1;
      }
      context.diagnostic(`${points} points`);
      assert.ok(points >= 4, `only ${points} calls were met`);
    });
  }
});
