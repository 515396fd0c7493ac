import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isSoak } from "../e2e/soak.ts";
import { isRight } from "./checks.ts";
import { Children } from "./children.ts";
import { makePlane, parse } from "./plane.ts";
import { subject } from "./reference-subject.ts";
import { prepare } from "./rig.ts";
import type { Step } from "./scenarios.ts";
import { Tap } from "./tap.ts";

const count = isSoak ? 50 : 8;
const version = (n: number): string => `web: { image: "ok:${n}", strategy: recreate, keep: 100 }`;
const deploy = (n: number): Step => ({ command: "deploy", services: version(n), lockWaitMs: 600_000 });

describe("many at once", () => {
  test(`${count} deploys of one stack, each of another version`, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "at-once-"));
    const world = await subject.start(folder);
    const site = { folder, places: world.places };
    await using children = new Children(0);
    try {
      const numbers = Array.from({ length: count }, (_, index) => index + 1);
      const ended = await Promise.all(
        numbers.map((n) => children.run({ subject: subject.url, site, step: deploy(n) })),
      );
      for (const each of ended) assert.ok(each.kind === "ended" && each.exitCode === 0, JSON.stringify(each));
      const plane = makePlane(subject, site, new Tap());
      const stack = await parse(subject, site, version(1));
      const history = await plane.stacks.history(stack, { limit: 100 });
      assert.deepEqual(
        history.map((each) => `${each.number} ${each.result?.outcome}`),
        numbers.toReversed().map((n) => `${n} succeeded`),
        "one history, without a gap",
      );
      const releases = await plane.stacks.releases(stack);
      assert.equal(new Set(releases.map((each) => each.image)).size, count, "every version became a release");
      const [{ image } = { image: "none" }] = await world.replicas();
      const document = await plane.stacks.state.show(stack);
      assert.equal(document?.lastChange, count);
      assert.equal(document.entries["shop-web"]?.release, count, "the state file says what serves");
      await plane.close();
      await isRight(subject, site, world, {
        services: version(Number(image.split(":")[1])),
        runs: [`shop-web ${image}`],
      });
      context.diagnostic(`${count} deploys at once`);
    } finally {
      await world.stop();
      await rm(folder, { recursive: true });
    }
  });

  test("a holder that is frozen until its lease ran out writes nothing once it is thawed", async () => {
    await using children = new Children(0);
    const scenario = {
      name: "frozen",
      before: [deploy(1)],
      during: deploy(2),
      next: deploy(3),
      runs: ["shop-web ok:3"],
    };
    await using prepared = await prepare(subject, children, scenario);
    assert.ok(await prepared.strike({ point: "driver.create#1", kind: "frozen" }, { isLeaseLeft: true }));
  });
});
