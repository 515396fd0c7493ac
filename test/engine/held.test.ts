import assert from "node:assert/strict";
import { test } from "node:test";
import { finish, running, withBench } from "./engine-fixture.ts";

test("onfailure: hold keeps what failed for inspection, unrouted; it needs attention, and what needs it waits", async () => {
  await withBench(async ({ plane, platform, stack }) => {
    const services = (image: string): string =>
      `  web: { image: "${image}", ports: [8080:3000], strategy: { type: rolling, timeout: 2s, onfailure: hold } }\n  api: { image: "ok:1", needs: [web], env: { V: "${image}" } }`;
    await finish(plane.stacks.deploy(await stack(services("ok:1"))));
    const { change, exitCode } = await finish(plane.stacks.deploy(await stack(services("unhealthy"))));
    assert.equal(exitCode, 4);
    const outcomes = change.result?.services.map((each) => [each.service, each.outcome]);
    assert.deepEqual(outcomes, [
      ["web", "held"],
      ["api", "skipped"],
    ]);
    const left = await running(platform);
    assert.ok(left.includes("shop-web ok:1 100%"), left.join());
    assert.ok(left.includes("shop-web unhealthy"), left.join());
    const fixed = await finish(plane.stacks.deploy(await stack(services("ok:2"))));
    assert.equal(fixed.exitCode, 0);
    assert.deepEqual(await running(platform), ["shop-api ok:1 100%", "shop-web ok:2 100%"]);
  });
});

test("a service that left the file can still be looked at and operated by its name", async () => {
  await withBench(async ({ plane, stack }) => {
    await finish(
      plane.stacks.deploy(
        await stack(`  old: { image: "ok:1", volumes: [{ path: /data }] }\n  web: { image: "ok:1" }`),
      ),
    );
    const less = await stack(`  web: { image: "ok:1" }`);
    assert.equal((await plane.stacks.status(less, ["old"])).services[0]?.orphaned, true);
    assert.equal((await finish(plane.stacks.stop(less, ["old"]))).exitCode, 0);
    await assert.rejects(plane.stacks.status(less, ["odl"]), /has no service odl/);
  });
});
