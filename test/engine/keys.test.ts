import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core";
import { finish, running, withBench } from "./engine-fixture.ts";

const web = (image: string, value: string): string =>
  `  web: { image: "${image}", strategy: recreate, env: { TOKEN: ${value} } }`;

describe("without the key that sealed", { concurrency: 4 }, () => {
  test("plan, status, releases and stop work and say what they cannot compare; a rollback says which key is missing", async () => {
    await withBench(async ({ plane, platform, stack, otherPlane }) => {
      await finish(plane.stacks.deploy(await stack(web("ok:1", "first-value"))));
      await finish(plane.stacks.deploy(await stack(web("ok:2", "second-value"))));
      const next = await stack(web("ok:2", "third-value"));
      const other = otherPlane(8);
      const [action] = (await other.stacks.plan(next)).actions;
      assert.equal(action?.kind, "update");
      assert.match(action.notes.join(), /sealed with another key/);
      assert.equal((await other.stacks.status(next)).services[0]?.status?.state, "serving");
      assert.equal((await other.stacks.releases(next)).length, 2);
      await assert.rejects(
        other.stacks.rollback(next),
        (error) => isCtrlPlaneError(error) && error.code === "FORBIDDEN" && error.hint !== undefined,
      );
      assert.equal((await finish(other.stacks.stop(next, ["web"]))).exitCode, 0);
      assert.deepEqual(await running(platform), []);
    });
  });

  test("a deploy of the file works, and warns that it could not go back; also over one that did not finish", async () => {
    await withBench(async ({ plane, platform, stack, otherPlane }) => {
      await finish(plane.stacks.deploy(await stack(web("ok:1", "first-value"))));
      await platform.harness.fault({ call: "waitReady", kind: "error", code: "UNAVAILABLE" });
      assert.equal((await finish(plane.stacks.deploy(await stack(web("ok:2", "second-value"))))).exitCode, 1);
      const other = otherPlane(8);
      const { exitCode, events } = await finish(other.stacks.deploy(await stack(web("ok:3", "third-value"))));
      assert.equal(exitCode, 0, JSON.stringify(events.at(-1)));
      assert.ok(events.some((each) => each.type === "diagnostic" && /sealed with another key/.test(each.message)));
      assert.ok(events.some((each) => each.type === "diagnostic" && /cannot be undone/.test(each.message)));
      assert.deepEqual(await running(platform), ["shop-web ok:3 100%"]);
      assert.equal(Object.keys((await platform.harness.dump()).replicas).length, 1);
    });
  });

  test("no value of an environment is in a plan, an event, the history, the state file or a record", async () => {
    await withBench(async ({ plane, platform, stack, folder, otherPlane }) => {
      const values = ["planted-first-value", "planted-second-value", "planted-third-value"] as const;
      await finish(plane.stacks.deploy(await stack(web("ok:1", values[0]))));
      const second = await stack(web("ok:2", values[1]));
      const plan = await plane.stacks.plan(second);
      const deployed = await finish(plane.stacks.deploy(second));
      const failed = await finish(plane.stacks.deploy(await stack(web("crash:1", values[2]))));
      const back = await finish(plane.stacks.rollback(second, { service: "web", to: 1 }));
      const { instances, replicas } = await platform.harness.dump();
      // Records are compressed: they are read as one reads them who has no key.
      const released = await otherPlane(8).stacks.release(second, "web", 1);
      const details = await Promise.all([1, 2, 3, 4].map((number) => plane.stacks.change(second, number)));
      const seen = JSON.stringify([plan, deployed, failed, back, released, instances, details]);
      const state = await readFile(join(folder, "pctl.shop.json"), "utf8");
      for (const value of values) assert.ok(!`${seen}${state}`.includes(value), value);
      // The control: where a value has to be, it is found.
      assert.ok(JSON.stringify(replicas).includes(values[0]));
      assert.equal((await plane.stacks.release(second, "web", 1)).spec.env["TOKEN"], values[0]);
    });
  });
});

test("a removal that did not finish was confirmed when it was begun: the next deploy finishes it", async () => {
  await withBench(async ({ plane, platform, stack }) => {
    const web1 = web("ok:1", "a");
    await finish(
      plane.stacks.deploy(await stack(`${web1}\n  db: { image: ok, protect: true, volumes: [{ path: /data }] }`)),
    );
    await platform.harness.fault({ call: "deprovision", kind: "error", code: "UNAVAILABLE" });
    const less = await stack(web1);
    assert.equal((await finish(plane.stacks.deploy(less, { remove: ["db"] }))).exitCode, 1);
    const { exitCode, change } = await finish(plane.stacks.deploy(less));
    assert.equal(exitCode, 0, JSON.stringify(change.result?.services));
    assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
    assert.deepEqual(Object.keys((await platform.harness.dump()).volumes), ["shop-db-storage"]);
  });
});
