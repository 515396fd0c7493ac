import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core";
import { finish, running, withBench } from "./engine-fixture.ts";

const web = (image: string, more = ""): string =>
  `  web: { image: ${JSON.stringify(image)}, ports: [8080:3000], scale: { replica: 2 }, strategy: { type: rolling, timeout: 5s, drain: 1s }${more} }`;

// Most of them wait: new replicas live 5 s beside the old ones before those go.
describe("engine", { concurrency: 6 }, () => {
  test("a first deploy: it serves, is on record, and the next plan is empty", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const declared = await stack(web("ok:1"));
      const { change, events, exitCode } = await finish(plane.stacks.deploy(declared));
      assert.equal(exitCode, 0);
      assert.equal(change.number, 1);
      assert.deepEqual(await running(platform), ["shop-web-1 ok:1 50%", "shop-web-2 ok:1 50%"]);
      assert.deepEqual(
        events.map((each) => each.seq),
        events.map((_, index) => index + 1),
      );
      assert.equal(events.at(-1)?.type, "result");
      const plan = await plane.stacks.plan(declared);
      assert.deepEqual(
        plan.actions.map((each) => each.kind),
        ["keep"],
      );
      const again = await finish(plane.stacks.deploy(declared));
      assert.equal(again.change.result?.outcome, "unchanged");
      assert.deepEqual(
        (await plane.stacks.history(declared)).map((each) => each.number),
        [1],
      );
    });
  });

  test("a plan writes nothing: neither on the platform nor by a call that could", async () => {
    await withBench(async ({ plane, platform, stack, calls }) => {
      const reading = /\.(info|health|identifyImage|status|list|resources|ledger\.read|ledger\.list)$/;
      const writes = (): string[] => calls.filter((call) => !reading.test(call));
      await finish(plane.stacks.deploy(await stack(web("ok:1"))));
      assert.ok(writes().includes("ref.deploy") && writes().includes("ref.ledger.create"), "control: a deploy writes");
      const before = JSON.stringify(await platform.harness.dump());
      calls.length = 0;
      await plane.stacks.plan(await stack(web("ok:2")));
      await plane.stacks.plan(await stack(web("ok:2", ", env: { A: b }")), { refresh: true });
      await plane.stacks.plan(await stack("{}"));
      assert.ok(calls.length > 0, "the plan asked nobody");
      assert.deepEqual(writes(), []);
      assert.equal(JSON.stringify(await platform.harness.dump()), before);
    });
  });

  test("a version that crashes: exit 3, verdict and log, the old one serves throughout", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      await finish(plane.stacks.deploy(await stack(web("ok:1"))));
      const { change, events, exitCode } = await finish(plane.stacks.deploy(await stack(web("crash:3"))));
      assert.equal(exitCode, 3);
      assert.deepEqual(
        change.result?.services.map(({ outcome, attempted, serving }) => ({ outcome, attempted, serving })),
        [{ outcome: "reverted", attempted: 2, serving: 1 }],
      );
      assert.deepEqual(await running(platform), ["shop-web-1 ok:1 50%", "shop-web-2 ok:1 50%"]);
      const failed = events.find((each) => each.type === "replica.failed");
      assert.equal(failed?.data["exitCode"], 3);
      const fixed = await finish(plane.stacks.deploy(await stack(web("ok:3"))));
      assert.equal(fixed.exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web-1 ok:3 50%", "shop-web-2 ok:3 50%"]);
    });
  });

  test("a failed first release is removed, and what needs it is skipped because of it", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const declared = await stack(`  db: { image: crash }\n  api: { image: ok, needs: [db] }\n  other: { image: ok }`);
      const { change, exitCode } = await finish(plane.stacks.deploy(declared));
      assert.equal(exitCode, 3);
      const outcomes = Object.fromEntries(
        (change.result?.services ?? []).map((each) => [each.service, [each.outcome, each.reason]]),
      );
      assert.equal(outcomes["db"]?.[0], "reverted");
      assert.deepEqual(outcomes["api"], ["skipped", "waits for db, which did not succeed"]);
      assert.equal(outcomes["other"]?.[0], "succeeded");
      assert.deepEqual(await running(platform), ["shop-other ok 100%"]);
    });
  });

  test("what was removed by hand comes back; what was scaled or stopped by hand is taken back, and said so", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const declared = await stack(web("ok:1"));
      await finish(plane.stacks.deploy(declared));
      await platform.harness.erase({ name: "shop-web-2" });
      assert.deepEqual((await plane.stacks.plan(declared)).actions[0]?.causes, ["missing"]);
      await finish(plane.stacks.deploy(declared));
      assert.deepEqual(await running(platform), ["shop-web-1 ok:1 50%", "shop-web-2 ok:1 50%"]);

      await finish(plane.stacks.scale(declared, { web: 4 }));
      assert.equal((await running(platform)).length, 4);
      const scaled = await plane.stacks.plan(declared);
      assert.deepEqual(scaled.actions[0]?.causes, ["override"]);
      assert.match(scaled.actions[0]?.notes.join() ?? "", /manual scale of 4 replicas by ada with change #3/);
      await finish(plane.stacks.deploy(declared));
      assert.equal((await running(platform)).length, 2);

      await finish(plane.stacks.stop(declared, ["web"]));
      assert.deepEqual(await running(platform), []);
      assert.deepEqual((await plane.stacks.plan(declared)).actions[0]?.causes, ["override"]);
      await finish(plane.stacks.start(declared, ["web"]));
      assert.deepEqual(await running(platform), ["shop-web-1 ok:1 50%", "shop-web-2 ok:1 50%"]);
      assert.deepEqual((await plane.stacks.plan(declared)).actions[0]?.kind, "keep");
    });
  });

  test("restart replaces every replica by an equal one and makes no release", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const declared = await stack(web("ok:1"));
      await finish(plane.stacks.deploy(declared));
      const ids = Object.keys((await platform.harness.dump()).replicas);
      assert.equal((await finish(plane.stacks.restart(declared, ["web"]))).exitCode, 0);
      const after = Object.keys((await platform.harness.dump()).replicas);
      assert.deepEqual(
        after.filter((id) => ids.includes(id)),
        [],
      );
      assert.deepEqual(
        (await plane.stacks.releases(declared)).map((each) => each.number),
        [1],
      );
      assert.equal((await plane.stacks.plan(declared)).actions[0]?.kind, "keep");
    });
  });

  test("rollback undoes the last change: image, environment and scale; a redeploy of that source says so", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const first = await stack(web("ok:1", ", env: { A: one }"));
      const second = await stack(web("ok:2", ", env: { A: two }"));
      await finish(plane.stacks.deploy(first));
      await finish(plane.stacks.deploy(second));
      const { exitCode } = await finish(plane.stacks.rollback(second));
      assert.equal(exitCode, 0);
      const replicas = Object.values((await platform.harness.dump()).replicas);
      assert.deepEqual(
        replicas.map((each) => [each.behaviour, each.env["A"]]),
        [
          ["ok:1", "one"],
          ["ok:1", "one"],
        ],
      );
      assert.equal((await plane.stacks.plan(first)).actions[0]?.kind, "keep");
      const plan = await plane.stacks.plan(second);
      assert.match(plan.actions[0]?.notes.join() ?? "", /source of release 2, which change #3 rolled back/);
      await finish(plane.stacks.rollback(second, { service: "web", to: 2 }));
      assert.equal((await plane.stacks.plan(second)).actions[0]?.kind, "keep");
    });
  });

  test("a rollback keeps a manual scale that is newer than the release it leaves", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      await finish(plane.stacks.deploy(await stack(web("ok:1"))));
      const second = await stack(web("ok:2"));
      await finish(plane.stacks.deploy(second));
      await finish(plane.stacks.scale(second, { web: 3 }));
      await finish(plane.stacks.rollback(second, { service: "web" }));
      assert.deepEqual(await running(platform), ["shop-web-1 ok:1 33%", "shop-web-2 ok:1 33%", "shop-web-3 ok:1 33%"]);
    });
  });

  test("a service that left the file goes after all else; one with volumes stays until it is named, and its volume until that is asked for", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const all = await stack(`  old: { image: ok }\n  db: { image: ok, volumes: [{ path: /data }] }\n${web("ok:1")}`);
      await finish(plane.stacks.deploy(all));
      const less = await stack(web("ok:1"));
      const held = await finish(plane.stacks.deploy(less));
      assert.equal(held.exitCode, 4);
      assert.deepEqual(
        (await running(platform)).map((each) => each.split(" ")[0]),
        ["shop-db", "shop-web-1", "shop-web-2"],
      );
      assert.equal((await finish(plane.stacks.deploy(less, { remove: ["db"] }))).exitCode, 0);
      const state = await platform.harness.dump();
      assert.deepEqual(Object.keys(state.instances), ["shop-web"]);
      assert.deepEqual(Object.keys(state.volumes), ["shop-db-storage"]);
      const document = await plane.stacks.state.show(less);
      assert.equal(document?.entries["shop-db"]?.destroyed, true);
    });
  });

  test("destroy removes all; a second one has nothing to do; a deploy afterwards brings all back", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const declared = await stack(web("ok:1"));
      await finish(plane.stacks.deploy(declared));
      assert.equal((await finish(plane.stacks.destroy(declared))).exitCode, 0);
      assert.deepEqual(await running(platform), []);
      assert.equal((await finish(plane.stacks.destroy(declared))).change.result?.outcome, "unchanged");
      assert.equal((await finish(plane.stacks.deploy(declared))).exitCode, 0);
      assert.equal((await running(platform)).length, 2);
    });
  });

  test("a platform that cannot be reached: nothing is claimed, and nothing is marked as gone", async () => {
    await withBench(async ({ plane, platform, stack, folder }) => {
      const declared = await stack(web("ok:1"));
      await finish(plane.stacks.deploy(declared));
      await platform.kill();
      const { change, exitCode } = await finish(plane.stacks.destroy(declared));
      assert.equal(exitCode, 4);
      assert.equal(change.result?.services[0]?.outcome, "unreachable");
      assert.notEqual((await plane.stacks.state.show(declared))?.entries["shop-web"]?.destroyed, true);
      assert.ok(folder.length > 0);
    });
  });

  test("an empty checkout sees the same: lineage, history, nothing to do; and rebuilds the state file", async () => {
    await withBench(async ({ plane, stack, otherPlane, folder }) => {
      const declared = await stack(web("ok:1"));
      await finish(plane.stacks.deploy(declared));
      const other = otherPlane();
      const elsewhere = { ...declared, folder: join(folder, "other") };
      const plan = await other.stacks.plan(elsewhere);
      assert.deepEqual(
        plan.actions.map((each) => each.kind),
        ["keep"],
      );
      assert.equal(plan.continues?.change, 1);
      assert.equal(await other.stacks.state.show(elsewhere), undefined);
      const before = await plane.stacks.state.show(declared);
      await rm(join(folder, "pctl.shop.json"));
      const rebuilt = await plane.stacks.state.rebuild(declared);
      assert.deepEqual(rebuilt.entries, before?.entries);
      assert.equal(rebuilt.lineage, before?.lineage);
    });
  });

  test("an instance of another lineage is refused before anything is touched", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const labels = {
        "managed-by": "pctl",
        "pctl-stack": "shop",
        "pctl-service": "shop-web",
        "pctl-lineage": "lin_other",
      };
      await platform.harness.plant({
        instances: [{ name: "shop-web", stack: "shop", service: "web", labels, stopped: false, volumes: [] }],
      });
      const declared = await stack(`${web("ok:1")}\n  api: { image: ok }`);
      const before = JSON.stringify(await platform.harness.dump());
      // The ledger knows no lineage, and a single lineage on labels is taken over by a checkout without a state file; two are not.
      await platform.harness.plant({
        instances: [
          {
            name: "shop-api",
            stack: "shop",
            service: "api",
            labels: { ...labels, "pctl-service": "shop-api", "pctl-lineage": "lin_third" },
            stopped: false,
            volumes: [],
          },
        ],
      });
      const planted = JSON.stringify(await platform.harness.dump());
      await assert.rejects(
        plane.stacks.deploy(declared),
        (error) =>
          isCtrlPlaneError(error) &&
          error.code === "INVALID" &&
          error.diagnostics.some((each) => each.code === "foreign"),
      );
      assert.equal(JSON.stringify(await platform.harness.dump()), planted);
      assert.notEqual(before, planted);
    });
  });

  test("deploy --expect refuses another plan than the one reviewed", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const one = await stack(web("ok:1"));
      const { hash } = await plane.stacks.plan(one);
      await assert.rejects(
        plane.stacks.deploy(await stack(web("ok:2")), { expect: hash }),
        (error) => isCtrlPlaneError(error) && error.code === "CONFLICT" && error.target === "plan",
      );
      assert.deepEqual(await running(platform), []);
      assert.equal((await finish(plane.stacks.deploy(one, { expect: hash }))).exitCode, 0);
    });
  });

  test("two deploys at once: both end, in turn, and what runs is one of them whole", async () => {
    await withBench(async ({ plane, platform, stack, otherPlane }) => {
      const one = await stack(web("slow:300"));
      const other = await stack(web("ok:2"));
      const [first, second] = await Promise.all([
        finish(plane.stacks.deploy(one)),
        finish(otherPlane().stacks.deploy(other)),
      ]);
      assert.deepEqual([first.exitCode, second.exitCode], [0, 0]);
      const images = new Set((await running(platform)).map((each) => each.split(" ")[1]));
      assert.equal(images.size, 1);
      assert.deepEqual(
        (await plane.stacks.history(one)).map((each) => each.number),
        [2, 1],
      );
    });
  });

  test("interrupted: the step in hand is finished, the lease given back, and the next deploy goes on", async () => {
    await withBench(async ({ plane, platform, stack }) => {
      const declared = await stack(web("slow:400"));
      const stop = new AbortController();
      const run = await plane.stacks.deploy(declared, { signal: stop.signal });
      for await (const event of run.events) if (event.type === "replica.created") stop.abort(new Error("SIGINT"));
      assert.equal((await run.done).result?.exitCode, 130);
      assert.equal((await plane.stacks.status(declared)).lease, undefined);
      const next = await finish(plane.stacks.deploy(declared));
      assert.equal(next.exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web-1 slow:400 50%", "shop-web-2 slow:400 50%"]);
    });
  });

  test("a no-op plan over many services is a handful of calls", async () => {
    await withBench(async ({ plane, stack, calls }) => {
      const services = Array.from({ length: 60 }, (_, index) => `  s${index}: { image: "ok:${index}" }`).join("\n");
      const declared = await stack(services);
      assert.equal((await finish(plane.stacks.deploy(declared))).exitCode, 0);
      calls.length = 0;
      const plan = await plane.stacks.plan(declared);
      assert.ok(plan.actions.every((each) => each.kind === "keep"));
      const others = calls.filter((call) => !call.endsWith(".identifyImage"));
      assert.ok(others.length <= 8, others.join(" "));
    });
  });
});
