import assert from "node:assert/strict";
import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Event } from "@ctrlplane/core";
import { finish, running, withBench } from "./engine-fixture.ts";

const service = (name: string, image: string, more = ""): string =>
  `  ${name}: { image: "${image}", strategy: recreate${more} }`;

function assertWhole(events: readonly Event[]): void {
  assert.deepEqual(
    events.map((each) => each.seq),
    events.map((_, index) => index + 1),
  );
  assert.equal(events.at(-1)?.type, "result");
  assert.equal(events.filter((each) => each.type === "result").length, 1);
}

describe("a change", { concurrency: 6 }, () => {
  test("whose lease was taken away ends with 5, writes nothing after that, and the next deploy heals", async () => {
    await withBench(async ({ plane, platform, stack, otherPlane }) => {
      const declared = await stack(service("web", "slow:600"));
      const run = await plane.stacks.deploy(declared);
      let taken = 0;
      for await (const event of run.events) {
        if (event.type !== "replica.created") continue;
        await otherPlane().stacks.state.unlock(declared);
        const { change } = await finish(otherPlane().stacks.deploy(await stack(service("web", "ok:2"))));
        assert.equal(change.result?.exitCode, 0);
        taken = (await platform.harness.dump()).writes.length;
      }
      const { result } = await run.done;
      assert.equal(result?.exitCode, 5, JSON.stringify(result));
      assert.equal(result.diagnostics[0]?.code, "lease-lost");
      assert.equal((await platform.harness.dump()).writes.length, taken, "nothing was written by who lost the lease");
      const left = await plane.stacks.state.show(declared);
      assert.deepEqual(
        [left?.entries, left?.pending],
        [{}, ["ref"]],
        "only that it began to use the provider is on record",
      );
      assert.equal((await finish(plane.stacks.deploy(declared))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web slow:600 100%"]);
    });
  });

  test("goes on when whoever listens to its events throws, or stops reading", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const declared = await stack(service("web", "ok:1"));
      const onEvent = (event: Event): void => {
        if (event.type === "replica.created") throw new Error("a defect of the reader");
      };
      const run = await plane.stacks.deploy(declared, { onEvent });
      for await (const event of run.events) if (event.type === "plan.ready") break;
      assert.equal((await run.done).result?.exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
      assertWhole((await plane.stacks.change(declared, 1)).events);
    });
  });

  test("whose state file cannot be written stands, says so with another exit code, in its history too; the next one writes it", async () => {
    await withBench(async ({ plane, platform, stack, folder }) => {
      const declared = await stack(service("web", "ok:1"));
      const place = join(folder, "pctl.shop.json");
      const run = await plane.stacks.deploy(declared);
      for await (const event of run.events) {
        if (event.type !== "replica.created") continue;
        await rm(place);
        await mkdir(place);
      }
      const { result } = await run.done;
      assert.equal(result?.exitCode, 1);
      assert.equal(result.diagnostics[0]?.code, "not-recorded");
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
      await rmdir(place);
      assert.equal((await plane.stacks.change(declared, 1)).result?.exitCode, 1);
      assert.equal((await finish(plane.stacks.deploy(declared))).exitCode, 0);
      assert.equal((await plane.stacks.state.show(declared))?.entries["shop-web"]?.release, 1);
    });
  });

  test("eight at once from separate checkouts: one history, numbers without gaps, one whole result", async () => {
    await withBench(async ({ plane, platform, stack, otherPlane }) => {
      const runs = Array.from({ length: 8 }, async (_, index) => {
        const declared = await stack(service("web", `ok:${index}`));
        return finish(otherPlane().stacks.deploy(declared, { lockWaitMs: 60_000 }));
      });
      const ended = await Promise.all(runs);
      assert.deepEqual(
        ended.map((each) => each.exitCode),
        ended.map(() => 0),
      );
      for (const each of ended) assertWhole(each.events);
      const declared = await stack(service("web", "ok:0"));
      const history = await plane.stacks.history(declared);
      assert.deepEqual(
        history.map((each) => each.number),
        [8, 7, 6, 5, 4, 3, 2, 1],
      );
      assert.ok(history.every((each) => each.result?.exitCode === 0));
      assert.equal((await running(platform)).length, 1);
      assert.deepEqual(
        (await plane.stacks.releases(declared)).map((each) => each.number),
        [8, 7, 6, 5, 4, 3, 2, 1],
      );
    });
  });

  test("that others made while it waited is not made twice", async () => {
    await withBench(async ({ plane, stack, otherPlane }) => {
      const declared = await stack(service("web", "slow:300"));
      const both = await Promise.all([
        finish(plane.stacks.deploy(declared)),
        finish(otherPlane().stacks.deploy(declared)),
      ]);
      assert.deepEqual(new Set(both.map((each) => each.change.result?.outcome)), new Set(["succeeded", "unchanged"]));
      assert.equal((await plane.stacks.history(declared)).length, 1);
    });
  });
});

test("a name that nothing has is refused by destroy and --remove; what left the file, or is gone already, has one", async () => {
  await withBench(async ({ plane, platform, stack }) => {
    await finish(plane.stacks.deploy(await stack(`${service("web", "ok:1")}\n${service("old", "ok:1")}`)));
    const less = await stack(service("web", "ok:1"));
    await assert.rejects(plane.stacks.destroy(less, { services: ["odl"] }), { code: "INVALID" });
    await assert.rejects(plane.stacks.deploy(less, { remove: ["odl"] }), { code: "INVALID" });
    assert.equal((await finish(plane.stacks.destroy(less, { services: ["old"] }))).exitCode, 0);
    assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
    assert.equal((await finish(plane.stacks.destroy(less, { services: ["old"] }))).exitCode, 0);
  });
});

describe("platforms", { concurrency: 6 }, () => {
  test("two changes on different platforms of a stack have two numbers and one state", async () => {
    await withBench(async ({ plane, stack, otherPlatform }) => {
      const far = { far: (await otherPlatform()).socket };
      const services = `${service("web", "slow:200")}\n${service("db", "slow:200", ", provider: far")}`;
      const declared = await stack(services, far);
      const [web, db] = await Promise.all([
        finish(plane.stacks.deploy(declared, { services: ["web"] })),
        finish(plane.stacks.deploy(declared, { services: ["db"] })),
      ]);
      assert.deepEqual([web.exitCode, db.exitCode], [0, 0], JSON.stringify([web.change.result, db.change.result]));
      assert.deepEqual(new Set([web.change.number, db.change.number]), new Set([1, 2]));
      assert.deepEqual(Object.keys((await plane.stacks.state.show(declared))?.entries ?? {}).sort(), [
        "shop-db",
        "shop-web",
      ]);
    });
  });

  test("another name for the same platform moves nothing and removes nothing", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      await finish(plane.stacks.deploy(await stack(service("web", "ok:1"))));
      const both = await stack(service("web", "ok:1", ", provider: again"), { again: platform.socket });
      assert.deepEqual(
        (await plane.stacks.plan(both)).actions.map((each) => each.kind),
        ["keep"],
      );
      const next = await stack(service("web", "ok:2", ", provider: again"), { again: platform.socket });
      assert.equal((await finish(plane.stacks.deploy(next))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:2 100%"]);
      const entries = (await plane.stacks.state.show(next))?.entries ?? {};
      assert.deepEqual(
        Object.entries(entries).map(([key, each]) => [key, each.provider, each.destroyed]),
        [["shop-web", "again", undefined]],
      );
    });
  });

  test("a service moved off a platform that cannot be reached stays in the state; with volumes it is not moved", async () => {
    await withBench(async ({ plane, platform, stack, otherPlatform }) => {
      const away = await otherPlatform();
      const far = { far: away.socket };
      const volumes = ", volumes: [{ path: /data }]";
      const declare = (provider: string) =>
        stack(
          [
            service("web", "ok:1", `, provider: ${provider}`),
            service("db", "ok:1", `${volumes}, provider: ${provider}`),
          ].join("\n"),
          far,
        );
      assert.equal((await finish(plane.stacks.deploy(await declare("far")))).exitCode, 0);
      await away.kill();
      await assert.rejects(plane.stacks.deploy(await declare("ref")), /cannot be deployed as declared/);
      const { exitCode } = await finish(plane.stacks.deploy(await declare("ref"), { leaveVolumes: true }));
      assert.equal(exitCode, 4);
      assert.deepEqual(await running(platform), ["shop-db ok:1 100%", "shop-web ok:1 100%"]);
      const entries = (await plane.stacks.state.show(await declare("ref")))?.entries ?? {};
      assert.deepEqual(
        Object.entries(entries)
          .map(([key, each]) => `${key} ${each.provider} ${each.destroyed ?? false}`)
          .sort(),
        ["shop-db far false", "shop-db@ref ref false", "shop-web far false", "shop-web@ref ref false"],
      );
    });
  });

  test("what only operates tells an unreachable platform from a service that is not deployed", async () => {
    await withBench(async ({ plane, stack, otherPlatform }) => {
      const away = await otherPlatform();
      const declared = await stack(`${service("web", "ok:1")}\n${service("db", "ok:1", ", provider: far")}`, {
        far: away.socket,
      });
      await finish(plane.stacks.deploy(declared));
      await away.kill();
      await assert.rejects(plane.stacks.scale(declared, { db: 2 }), { code: "UNAVAILABLE" });
      await assert.rejects(plane.stacks.rollback(declared, { service: "db" }), { code: "UNAVAILABLE" });
      const { exitCode, change } = await finish(plane.stacks.stop(declared, []));
      assert.equal(exitCode, 4);
      assert.deepEqual(
        change.result?.services.map((each) => [each.service, each.outcome]),
        [
          ["web", "succeeded"],
          ["db", "unreachable"],
        ],
      );
    });
  });
});

test("what fails before anything of a release was begun leaves the old one as it is: exit 3, and nothing is left over", async () => {
  await withBench(async (bench) => {
    const { plane, platform, stack } = bench;
    const web = (image: string): string => `  web: { image: "${image}" }`;
    await platform.harness.fault({ call: "image", kind: "error", code: "QUOTA" });
    const first = await finish(plane.stacks.deploy(await stack(web("ok:1"))));
    assert.equal(first.exitCode, 3);
    assert.equal((await finish(plane.stacks.deploy(await stack(web("ok:1"))))).exitCode, 0);
    await platform.harness.fault({ call: "image", kind: "error", code: "QUOTA" });
    const { change, events } = await finish(plane.stacks.deploy(await stack(web("ok:2"))));
    const [result] = change.result?.services ?? [];
    assert.deepEqual([result?.outcome, result?.serving], ["reverted", 1]);
    assert.equal(events.find((each) => each.type === "service.done")?.data["isBegun"], false);
    assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
    assert.equal((await finish(plane.stacks.deploy(await stack(web("ok:2"))))).exitCode, 0);
  });
});

test("a removal that broke off before it did anything is no word on the future: the next deploy ends it", async () => {
  await withBench(async (bench) => {
    const { plane, platform, stack } = bench;
    const web = '  web: { image: "ok:1", ports: [8080:3000], volumes: [{ path: /data }] }';
    assert.equal((await finish(plane.stacks.deploy(await stack(web)))).exitCode, 0);
    await platform.harness.fault({ call: "route", kind: "error", code: "UNAVAILABLE" });
    assert.equal((await finish(plane.stacks.destroy(await stack(web), { remove: ["web"] }))).exitCode, 1);
    const { actions } = await plane.stacks.plan(await stack(web));
    assert.deepEqual(
      actions.map((each) => [each.kind, each.notes]),
      [["configure", ["its removal by change #2 did not finish, and it is wanted"]]],
    );
    assert.equal((await finish(plane.stacks.deploy(await stack(web)))).exitCode, 0);
    assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
    const later = await plane.stacks.plan(await stack("{}"));
    assert.deepEqual(
      later.actions.map((each) => each.kind),
      ["hold"],
      "it holds data, and goes by name alone",
    );
  });
});
