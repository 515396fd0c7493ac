import assert from "node:assert/strict";
import { test } from "node:test";
import { Children } from "./children.ts";
import { subject } from "./reference-subject.ts";
import { prepare } from "./rig.ts";
import type { Step } from "./scenarios.ts";

const deploy = (n: number): Step => ({ command: "deploy", services: `web: { image: "ok:${n}", strategy: recreate }` });

test("a holder that is frozen until its lease ran out writes nothing once it is thawed", async () => {
  await using children = new Children(0);
  const scenario = {
    name: "frozen",
    before: [deploy(1)],
    during: deploy(2),
    nexts: [{ step: deploy(3), runs: ["shop-web ok:3"] }],
  };
  await using prepared = await prepare(subject, children, scenario);
  assert.ok(await prepared.strike({ point: "driver.create#1", kind: "frozen" }, { isLeaseLeft: true }));
});
