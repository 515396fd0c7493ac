import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RunningPlatform } from "@ctrlplane/provider-reference";
import { finish, running, withBench } from "./engine-fixture.ts";

type Change = Awaited<ReturnType<typeof finish>>["change"];

/** Every run of the job that a platform saw: `release starts`. */
async function runs(platform: RunningPlatform): Promise<string[]> {
  const { archive, replicas } = await platform.harness.dump();
  return [...archive, ...Object.values(replicas)]
    .filter((each) => each.instance === "shop-migrate" && each.starts > 0)
    .map((each) => `${each.release} ${each.starts}`);
}

async function unfinished(platform: RunningPlatform): Promise<string[]> {
  return Object.keys((await platform.harness.dump()).ledger).filter((name) => name.includes("intent"));
}

const outcomes = (change: Change): string[] =>
  (change.result?.services ?? []).map((each) => `${each.service}@${each.provider} ${each.outcome}`);

describe("a job on two platforms", { concurrency: 4 }, () => {
  const job = (image: string): string => `  migrate: { image: "${image}", kind: job, provider: [ref, other] }`;

  test("runs once on each", async () => {
    await withBench(async (bench) => {
      const other = await bench.otherPlatform();
      const stack = await bench.stack(job("done:10"), { other: other.socket });
      const { change, exitCode } = await finish(bench.plane.stacks.deploy(stack));
      assert.deepEqual([exitCode, outcomes(change)], [0, ["migrate@ref succeeded", "migrate@other succeeded"]]);
      assert.equal((await finish(bench.plane.stacks.deploy(stack))).change.result?.outcome, "unchanged");
      for (const platform of [bench.platform, other]) assert.deepEqual(await runs(platform), ["1 1"]);
    });
  });

  test("that failed on one stays completed on the other, and runs again where it failed alone", async () => {
    await withBench(async (bench) => {
      const other = await bench.otherPlatform();
      const stack = await bench.stack(job("done:10"), { other: other.socket });
      await other.harness.fault({ call: "waitEnd", kind: "error", code: "QUOTA", times: 1 });
      const { change, exitCode } = await finish(bench.plane.stacks.deploy(stack));
      assert.notEqual(exitCode, 0);
      assert.equal(outcomes(change)[0], "migrate@ref succeeded");
      assert.match(change.result?.services[0]?.reason ?? "", /stays so although migrate on other failed/);
      const again = await finish(bench.plane.stacks.deploy(stack));
      assert.equal(again.exitCode, 0, JSON.stringify(again.change.result));
      assert.deepEqual(await runs(bench.platform), ["1 1"]);
      assert.deepEqual(await runs(other), ["2 1"], "the first release never came to run there");
      for (const platform of [bench.platform, other]) assert.deepEqual(await unfinished(platform), []);
    });
  });

  test("that breaks on both is told on both", async () => {
    await withBench(async (bench) => {
      const other = await bench.otherPlatform();
      const stack = await bench.stack(job("crash:3"), { other: other.socket });
      assert.equal((await finish(bench.plane.stacks.deploy(stack))).exitCode, 3);
      const { services } = await bench.plane.stacks.status(stack);
      assert.deepEqual(
        services.map((each) => `${each.provider} ${each.run?.outcome} ${each.run?.exitCode}`),
        ["ref failed 3", "other failed 3"],
      );
    });
  });
});

describe("deploy --atomic with a job", { concurrency: 4 }, () => {
  const stackOf = (migrate: string, web: string): string =>
    [
      `  db: { image: "ok:1", strategy: { type: recreate } }`,
      `  migrate: { image: "${migrate}", kind: job, needs: [db] }`,
      `  web: { image: "${web}", needs: [migrate], strategy: { type: recreate, timeout: 5s } }`,
    ].join("\n");

  test("that failed takes the change back", async () => {
    await withBench(async (bench) => {
      const deploy = async (text: string) =>
        finish(bench.plane.stacks.deploy(await bench.stack(text), { atomic: true }));
      const beside = (n: number, migrate: string): string =>
        `  web: { image: "ok:${n}", strategy: { type: recreate } }\n  migrate: { image: "${migrate}", kind: job, needs: [web] }`;
      assert.equal((await deploy(beside(1, "done:1"))).exitCode, 0);
      const { change, exitCode } = await deploy(beside(2, "crash:3"));
      assert.equal(exitCode, 3);
      assert.deepEqual(
        change.result?.services.map((each) => [each.service, each.outcome, each.because]),
        [
          ["web", "reverted", "migrate"],
          ["migrate", "reverted", undefined],
        ],
      );
      assert.deepEqual(await running(bench.platform), ["shop-web ok:1 100%"]);
      assert.deepEqual(await runs(bench.platform), ["1 1", "2 1"]);
      assert.deepEqual(await unfinished(bench.platform), []);
    });
  });

  test("that completed stays so, and is not run again: not on the way back, not by the next change", async () => {
    await withBench(async (bench) => {
      const deploy = async (text: string) =>
        finish(bench.plane.stacks.deploy(await bench.stack(text), { atomic: true }));
      assert.equal((await deploy(stackOf("done:1", "ok:1"))).exitCode, 0);
      const failed = await deploy(stackOf("done:2", "crash:7"));
      assert.equal(failed.exitCode, 3);
      const [, migrate] = failed.change.result?.services ?? [];
      assert.equal(migrate?.outcome, "succeeded");
      assert.match(migrate.reason ?? "", /completed, and stays so although web failed/);
      assert.deepEqual(await runs(bench.platform), ["1 1", "2 1"]);
      assert.equal((await deploy(stackOf("done:2", "ok:2"))).exitCode, 0);
      assert.deepEqual(await runs(bench.platform), ["1 1", "2 1"]);
      assert.deepEqual(await running(bench.platform), ["shop-db ok:1 100%", "shop-web ok:2 100%"]);
      assert.deepEqual(await unfinished(bench.platform), []);
    });
  });
});
