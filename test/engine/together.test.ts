import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish, running, withBench, type Bench } from "./engine-fixture.ts";

const web = (image: string, providers = "[ref, other]"): string =>
  `  web: { image: ${JSON.stringify(image)}, provider: ${providers}, strategy: { type: recreate, timeout: 5s, drain: 1s } }`;

const outcomes = (result: Awaited<ReturnType<typeof finish>>["change"]["result"]): string[] =>
  (result?.services ?? []).map(
    (each) => `${each.service}@${each.provider} ${each.outcome} ${each.attempted ?? "-"} serves ${each.serving ?? "-"}`,
  );

async function twoPlatforms(bench: Bench) {
  const other = await bench.otherPlatform();
  const stack = (services: string) => bench.stack(services, { other: other.socket });
  const intents = async (): Promise<string[]> => {
    const states = [await bench.platform.harness.dump(), await other.harness.dump()];
    return states.flatMap((each) => Object.keys(each.ledger).filter((name) => name.includes("intent")));
  };
  const both = async (): Promise<string[][]> => [await running(bench.platform), await running(other)];
  return { other, stack, intents, both };
}

describe("one service on two platforms", { concurrency: 4 }, () => {
  test("comes up on both, with one number, and the next plan keeps both", async () => {
    await withBench(async (bench) => {
      const { stack, both, intents } = await twoPlatforms(bench);
      const declared = await stack(web("ok:1"));
      const { change, exitCode } = await finish(bench.plane.stacks.deploy(declared));
      assert.equal(exitCode, 0);
      assert.deepEqual(outcomes(change.result), ["web@ref succeeded 1 serves 1", "web@other succeeded 1 serves 1"]);
      assert.deepEqual(await both(), [["shop-web ok:1 100%"], ["shop-web ok:1 100%"]]);
      assert.deepEqual(await intents(), []);
      const plan = await bench.plane.stacks.plan(declared);
      assert.deepEqual(
        plan.actions.map(({ key, kind }) => `${kind} ${key}`),
        ["keep web@ref", "keep web@other"],
      );
      const status = await bench.plane.stacks.status(declared);
      assert.deepEqual(
        status.services.map((each) => `${each.service} ${each.provider} ${each.status?.settled?.number ?? "-"}`),
        ["web ref 1", "web other 1"],
      );
    });
  });

  test("fails on one: the old release serves on both, with why", async () => {
    await withBench(async (bench) => {
      const { other, stack, both, intents } = await twoPlatforms(bench);
      await finish(bench.plane.stacks.deploy(await stack(web("ok:1"))));
      await other.harness.fault({ call: "start", kind: "error", code: "QUOTA", times: 1 });
      const { change, exitCode } = await finish(bench.plane.stacks.deploy(await stack(web("ok:2"))));
      assert.notEqual(exitCode, 0);
      const [first] = change.result?.services ?? [];
      assert.deepEqual([first?.outcome, first?.because, first?.serving], ["reverted", "web on other", 1]);
      assert.deepEqual((await both())[0], ["shop-web ok:1 100%"]);
      await other.harness.clearFaults();
      const again = await finish(bench.plane.stacks.deploy(await stack(web("ok:2"))));
      assert.equal(again.exitCode, 0, JSON.stringify(again.change.result));
      assert.deepEqual(await both(), [["shop-web ok:2 100%"], ["shop-web ok:2 100%"]]);
      assert.deepEqual(await intents(), []);
    });
  });

  test("a service that joins a second platform is created there alone, and leaves it again last", async () => {
    await withBench(async (bench) => {
      const { stack, both } = await twoPlatforms(bench);
      await finish(bench.plane.stacks.deploy(await stack(web("ok:1", "ref"))));
      await finish(bench.plane.stacks.deploy(await stack(web("ok:2", "ref"))));
      const joined = await finish(bench.plane.stacks.deploy(await stack(web("ok:2"))));
      assert.deepEqual(outcomes(joined.change.result), [
        "web@ref unchanged - serves 2",
        "web@other succeeded 2 serves 2",
      ]);
      const leaving = await bench.plane.stacks.plan(await stack(web("ok:3", "ref")));
      assert.equal(leaving.actions.at(-1)?.summary, "is not wanted on other any more");
      const left = await finish(bench.plane.stacks.deploy(await stack(web("ok:3", "ref"))));
      assert.deepEqual(outcomes(left.change.result), ["web@ref succeeded 3 serves 3", "web@other removed - serves -"]);
      assert.deepEqual(await both(), [["shop-web ok:3 100%"], []]);
    });
  });

  test("one platform out of reach: it is begun nowhere, and says why", async () => {
    await withBench(async (bench) => {
      const { other, stack, both } = await twoPlatforms(bench);
      await finish(bench.plane.stacks.deploy(await stack(web("ok:1"))));
      await other.stop();
      const { change, exitCode } = await finish(bench.plane.stacks.deploy(await stack(web("ok:2"))));
      assert.equal(exitCode, 4);
      assert.deepEqual(
        change.result?.services.map((each) => each.outcome),
        ["unreachable", "unreachable"],
      );
      assert.match(change.result?.services[0]?.reason ?? "", /not begun, because other cannot be reached/);
      assert.deepEqual(await running(bench.platform), ["shop-web ok:1 100%"]);
      void both;
    });
  });

  test("two names for one platform are refused", async () => {
    await withBench(async (bench) => {
      await assert.rejects(
        bench.stack(web("ok:1", "[ref, same]"), { same: bench.platform.socket }),
        /are one platform/,
      );
    });
  });

  test("what uses its address gets the one beside it; who stands nowhere beside it is told", async () => {
    await withBench(async (bench) => {
      const { stack } = await twoPlatforms(bench);
      const db = `  db: { image: ok, provider: [ref, other], ports: [{ containerPort: 5432 }] }\n`;
      const api = (provider: string): string =>
        `${db}  api: { image: ok, provider: ${provider}, env: { DB: "\${service:db.host}" } }`;
      const { exitCode } = await finish(bench.plane.stacks.deploy(await stack(api("[ref, other]"))));
      assert.equal(exitCode, 0);
      const third = await bench.otherPlatform();
      const away = await bench.stack(api("third"), {
        other: (await bench.otherPlatform()).socket,
        third: third.socket,
      });
      const plan = await bench.plane.stacks.plan(away);
      assert.match(plan.diagnostics[0]?.summary ?? "", /db is on ref and other, and none of them is third/);
    });
  });

  test("operations act on all of it", async () => {
    await withBench(async (bench) => {
      const { stack, both } = await twoPlatforms(bench);
      const declared = await stack(web("ok:1"));
      await finish(bench.plane.stacks.deploy(declared));
      await finish(bench.plane.stacks.deploy(await stack(web("ok:2"))));
      const scaled = await finish(bench.plane.stacks.scale(declared, { web: 2 }));
      assert.equal(scaled.change.result?.services.length, 2);
      const back = await finish(bench.plane.stacks.rollback(declared, { service: "web" }));
      assert.equal(back.exitCode, 0);
      assert.deepEqual(
        (await both()).map((each) => each.map((line) => line.split(" ")[1])),
        [
          ["ok:1", "ok:1"],
          ["ok:1", "ok:1"],
        ],
      );
    });
  });
});

describe("deploy --atomic", { concurrency: 4 }, () => {
  const three = (n: number, last: string): string =>
    [
      `  db: { image: "ok:${n}", strategy: { type: recreate } }`,
      `  api: { image: "ok:${n}", needs: [db], strategy: { type: recreate } }`,
      `  web: { image: ${JSON.stringify(last)}, needs: [api], strategy: { type: recreate, timeout: 5s } }`,
    ].join("\n");

  test("one fails: all are back on their old release, exit 3, and each is told why", async () => {
    await withBench(async (bench) => {
      await finish(bench.plane.stacks.deploy(await bench.stack(three(1, "ok:1"))));
      const { change, exitCode, events } = await finish(
        bench.plane.stacks.deploy(await bench.stack(three(2, "crash:7")), { atomic: true }),
      );
      assert.equal(exitCode, 3, JSON.stringify(change.result));
      assert.equal(change.result?.outcome, "reverted");
      assert.deepEqual(outcomes(change.result), [
        "db@ref reverted 2 serves 1",
        "api@ref reverted 2 serves 1",
        "web@ref reverted 2 serves 1",
      ]);
      assert.deepEqual(
        change.result.services.map((each) => each.because),
        ["web", "web", undefined],
      );
      assert.deepEqual(await running(bench.platform), [
        "shop-api ok:1 100%",
        "shop-db ok:1 100%",
        "shop-web ok:1 100%",
      ]);
      const order = events.filter((each) => each.type === "service.reverting").map((each) => each.service);
      assert.deepEqual(order, ["api", "db"], "against the order of needs");
      const { ledger } = await bench.platform.harness.dump();
      assert.deepEqual(
        Object.keys(ledger).filter((name) => name.includes("intent")),
        [],
      );
    });
  });

  test("a first change that fails leaves nothing, and its removals wait", async () => {
    await withBench(async (bench) => {
      await finish(bench.plane.stacks.deploy(await bench.stack("  old: { image: ok }")));
      const { exitCode } = await finish(
        bench.plane.stacks.deploy(await bench.stack(three(1, "crash:7")), { atomic: true }),
      );
      assert.equal(exitCode, 3);
      assert.deepEqual(await running(bench.platform), ["shop-old ok 100%"]);
    });
  });

  test("without it the others stay", async () => {
    await withBench(async (bench) => {
      await finish(bench.plane.stacks.deploy(await bench.stack(three(1, "ok:1"))));
      await finish(bench.plane.stacks.deploy(await bench.stack(three(2, "crash:7"))));
      assert.deepEqual(await running(bench.platform), [
        "shop-api ok:2 100%",
        "shop-db ok:2 100%",
        "shop-web ok:1 100%",
      ]);
    });
  });

  test("a service that is to be held is refused before anything is touched", async () => {
    await withBench(async (bench) => {
      const held = `  web: { image: ok, strategy: { type: recreate, onfailure: hold } }`;
      await assert.rejects(bench.plane.stacks.deploy(await bench.stack(held), { atomic: true }), (error: Error) =>
        JSON.stringify(error).includes("onfailure: hold"),
      );
      assert.deepEqual(await running(bench.platform), []);
    });
  });
});
