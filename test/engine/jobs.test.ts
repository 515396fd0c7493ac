import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dieIn, finish, withBench, type Bench } from "./engine-fixture.ts";

const job = (image: string, more = ""): string =>
  `  migrate: { image: "${image}", kind: job${more} }\n  web: { image: "ok", needs: [migrate] }`;

const deploy = async (bench: Bench, services: string) => finish(bench.plane.stacks.deploy(await bench.stack(services)));

/** Every run of the job that the platform saw: `release starts`. */
async function runs(bench: Bench): Promise<string[]> {
  const { archive, replicas } = await bench.platform.harness.dump();
  return [...archive, ...Object.values(replicas)]
    .filter((each) => each.instance === "shop-migrate" && each.starts > 0)
    .map((each) => `${each.release} ${each.starts}`);
}

const outcomes = (change: Awaited<ReturnType<typeof deploy>>["change"]) =>
  change.result?.services.map((each) => `${each.service} ${each.outcome} ${each.verdict ?? ""}`.trim());

describe("jobs", () => {
  test("run once a release, and never again for an unchanged one", async () => {
    await withBench(async (bench) => {
      const first = await deploy(bench, job("done:20"));
      assert.deepEqual([first.exitCode, outcomes(first.change)], [0, ["migrate succeeded", "web succeeded"]]);
      assert.ok(first.events.some((each) => each.message === "completed, exit 0"));
      const again = await deploy(bench, job("done:20"));
      assert.deepEqual(again.change.result?.outcome, "unchanged");
      assert.deepEqual(await runs(bench), ["1 1"]);
      await deploy(bench, job("done:21"));
      assert.deepEqual(await runs(bench), ["1 1", "2 1"]);
      const { services } = await bench.plane.stacks.status(await bench.stack(job("done:21")));
      assert.equal(services.find((each) => each.service === "migrate")?.status?.state, "completed");
    });
  });

  test("that fail tell why, keep dependents back, and run again with the next deploy", async () => {
    await withBench(async (bench) => {
      const { change, exitCode, events } = await deploy(bench, job("crash:3"));
      assert.deepEqual([exitCode, outcomes(change)], [3, ["migrate reverted EXITED", "web skipped"]]);
      assert.match(events.find((each) => each.type === "service.skipped")?.message ?? "", /waits for migrate/);
      assert.equal(events.find((each) => each.type === "replica.failed")?.data?.["exitCode"], 3);
      const fixed = await deploy(bench, job("done:0"));
      assert.equal(fixed.exitCode, 0);
      assert.deepEqual(await runs(bench), ["1 1", "2 1"]);
    });
  });

  test("whose end nobody saw are not repeated, unless retry says so", async () => {
    await withBench(async (bench) => {
      const lost = await deploy(bench, job("lost:0"));
      assert.deepEqual([lost.exitCode, outcomes(lost.change)], [1, ["migrate failed", "web skipped"]]);
      assert.match(lost.change.result?.services[0]?.reason ?? "", /nobody saw how it ended/);
      await deploy(bench, job("lost:0"));
      assert.deepEqual(await runs(bench), ["1 1"]);
      const repeated = await deploy(bench, job("lost:0", ", retry: true"));
      assert.equal(repeated.exitCode, 1);
      assert.deepEqual(await runs(bench), ["1 1", "2 3"], "a bounded number of times");
    });
  });

  test("that fail, or run now, say so in status and history", async () => {
    await withBench(async (bench) => {
      const seen = async (declared: string) => {
        const stack = await bench.stack(declared);
        const { services } = await bench.plane.stacks.status(stack);
        const releases = await bench.plane.stacks.releases(stack, ["migrate"]);
        const found = services.find((each) => each.service === "migrate");
        return {
          state: found?.status?.state,
          run: found?.run,
          releases: releases.map((each) => `${each.number} ${each.state ?? "-"}`),
        };
      };
      await deploy(bench, job("crash:3"));
      const first = await seen(job("crash:3"));
      assert.deepEqual([first.state, first.run?.exitCode, first.releases], ["failed", 3, ["1 failed"]]);
      assert.equal(first.run?.change, 1);
      assert.ok(Date.parse(first.run?.startedAt ?? "") <= Date.parse(first.run?.endedAt ?? ""));

      await deploy(bench, job("done:0"));
      const done = await seen(job("done:0"));
      assert.deepEqual(
        [done.state, done.run?.outcome, done.releases],
        ["completed", "completed", ["2 completed", "1 -"]],
      );

      await deploy(bench, job("crash:4"));
      const failed = await seen(job("crash:4"));
      assert.deepEqual([failed.state, failed.run?.exitCode], ["failed", 4]);
      assert.deepEqual(failed.releases, ["3 failed", "2 completed", "1 -"]);

      const stop = new AbortController();
      const stack = await bench.stack(job("ok"));
      const run = await bench.plane.stacks.deploy(stack, { signal: stop.signal });
      for await (const event of run.events) if (event.service === "migrate" && event.message === "started") break;
      const running = await seen(job("ok"));
      assert.deepEqual([running.state, running.run?.release, running.run?.endedAt], ["running", 4, undefined]);
      assert.deepEqual(running.releases[0], "4 running");
      stop.abort();
      assert.equal((await run.done).result?.exitCode, 130);
      assert.equal((await seen(job("ok"))).state, "running", "the attempt goes on");

      await finish(bench.plane.stacks.destroy(stack));
      const gone = await seen(job("ok"));
      assert.deepEqual([gone.state, gone.run], [undefined, undefined]);
    });
  });

  test("whose end nobody saw have failed", async () => {
    await withBench(async (bench) => {
      await deploy(bench, job("lost:0"));
      const { services } = await bench.plane.stacks.status(await bench.stack(job("lost:0")));
      const found = services.find((each) => each.service === "migrate");
      assert.deepEqual([found?.status?.state, found?.run?.outcome], ["failed", "unknown"]);
    });
  });

  test("take no longer than they may", async () => {
    await withBench(async (bench) => {
      const { change, exitCode } = await deploy(bench, job("ok", ", strategy: { timeout: 100ms }"));
      assert.deepEqual([exitCode, outcomes(change)?.[0]], [3, "migrate reverted START_TIMEOUT"]);
    });
  });

  test("are not stopped, restarted, scaled or rolled back", async () => {
    await withBench(async (bench) => {
      await deploy(bench, job("done:0"));
      await deploy(bench, job("done:1"));
      const stack = await bench.stack(job("done:1"));
      await assert.rejects(bench.plane.stacks.stop(stack, ["migrate"]), /is a job and runs once a release/);
      await assert.rejects(bench.plane.stacks.rollback(stack, { service: "migrate" }), /a rollback runs none again/);
      const { exitCode } = await finish(bench.plane.stacks.restart(stack, []));
      assert.equal(exitCode, 0);
      assert.equal((await finish(bench.plane.stacks.rollback(stack, {}))).exitCode, 0);
      assert.deepEqual(await runs(bench), ["1 1", "2 1"]);
      assert.equal((await deploy(bench, job("done:1"))).change.result?.outcome, "unchanged");
    });
  });

  for (const { name, during, after, expected } of [
    { name: "the same release is wanted again", during: "done:30", after: "done:30", expected: ["1 1"] },
    { name: "another release is wanted", during: "done:30", after: "done:31", expected: ["1 1", "2 1"] },
  ]) {
    test(`killed at each call: ${name}`, async (context) => {
      let points = 0;
      for (let nth = 1; ; nth += process.env["SOAK"] === "1" ? 1 : 4) {
        let wasKilled = false;
        await withBench(async (bench) => {
          const kind = points % 2 === 0 ? "kill-before" : "kill-after";
          wasKilled = await dieIn(bench, job(during), { nth, kind });
          const { exitCode, change } = await deploy(bench, job(after));
          assert.equal(exitCode, 0, `call ${nth}, ${kind}: ${JSON.stringify(change.result)}`);
          const seen = await runs(bench);
          assert.ok(
            seen.every((each) => each.endsWith(" 1")) && new Set(seen).size === seen.length,
            `call ${nth}, ${kind}: ${seen.join(", ")}`,
          );
          assert.ok(seen.length > 0 && seen.length <= expected.length, `call ${nth}, ${kind}: ${seen.join(", ")}`);
          assert.equal((await deploy(bench, job(after))).change.result?.outcome, "unchanged");
        });
        if (!wasKilled) break;
        points += 1;
      }
      context.diagnostic(`${points} points`);
      assert.ok(points >= 8, `only ${points} calls were met`);
    });
  }
});
