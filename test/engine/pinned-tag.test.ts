import assert from "node:assert/strict";
import { test } from "node:test";
import { finish, withBench } from "./engine-fixture.ts";

test("a tag keeps its digest until the service changes, or until it is looked up again on request", async () => {
  await withBench(async ({ plane, platform, stack, otherPlane }) => {
    const declared = `  web: { image: "app:1" }\n  api: { image: "app:2" }`;
    const { exitCode } = await finish(plane.stacks.deploy(await stack(declared)));
    assert.equal(exitCode, 0);
    await platform.harness.tag({ reference: "app:1", behaviour: "slow:1" });
    await platform.harness.resetCounts();

    const kinds = async (...args: Parameters<typeof plane.stacks.plan>): Promise<string[]> =>
      (await plane.stacks.plan(...args)).actions.map((each) => `${each.instance.service} ${each.kind}`);
    assert.deepEqual(await kinds(await stack(declared)), ["web keep", "api keep"]);
    const elsewhere = await otherPlane().stacks.plan(await stack(declared));
    assert.deepEqual(new Set(elsewhere.actions.map((each) => each.kind)), new Set(["keep"]));
    assert.equal((await platform.harness.counts())["resolve"], undefined);

    assert.deepEqual(await kinds(await stack(declared), { refresh: true }), ["web update", "api keep"]);
    const before = await plane.stacks.plan(await stack(declared));
    const changed = await plane.stacks.plan(await stack(declared.replace('"app:1"', '"app:1", env: { A: "1" }')));
    const digestOf = (plan: typeof changed): string | undefined => plan.actions[0]?.image?.digest;
    assert.notEqual(digestOf(changed), digestOf(before));
    assert.deepEqual(await kinds(await stack(declared.replace("app:2", "app:3"))), ["web keep", "api update"]);
  });
});
