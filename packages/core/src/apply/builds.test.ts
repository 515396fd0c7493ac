import { strict as assert } from "node:assert";
import { test } from "node:test";
import { desiredOf, identityOf } from "../plan/plan-fixture.ts";
import type { DesiredInstance } from "../plan/input.ts";
import { Builds } from "./builds.ts";

const image = {
  digest: "sha256:77ab12",
  declared: "./web",
  source: { context: "./web", bytes: 1, files: 1, how: "build" },
} as const;

function built(service: string, provider: string): DesiredInstance {
  return { ...desiredOf(service), instance: identityOf(service, provider), image };
}

test("an image is told once for a provider, with all services that it is for", () => {
  const [migrate, web] = [built("migrate", "vps1"), built("web", "vps1")];
  const builds = new Builds([migrate, web]);
  assert.deepEqual([builds.begin(web), builds.begin(migrate)], [true, false]);
  assert.equal(builds.describe(web), "for migrate, web");

  const elsewhere = built("web", "vps2");
  const several = new Builds([migrate, web, elsewhere]);
  assert.deepEqual([several.begin(web), several.begin(elsewhere)], [true, true]);
  assert.equal(several.describe(web), "on vps1 for migrate, web");
  assert.equal(several.describe(elsewhere), "on vps2 for web");
});

test("what is not built is not told", () => {
  const copied = desiredOf("web");
  assert.equal(new Builds([copied]).begin(copied), false);
});
