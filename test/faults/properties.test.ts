import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as fc from "fast-check";
import { isSoak } from "../e2e/soak.ts";
import { isRight, plainly } from "./checks.ts";
import { Children } from "./children.ts";
import { edited, first, histories, runsOf, working, yamlOf, type Deed } from "./histories.ts";
import { keptHistories } from "./kept-histories.ts";
import { subject } from "./reference-subject.ts";
import type { World } from "./subject.ts";

/** Of a random history each command runs in a process that may be struck; afterwards one deploy reaches the declaration. */
const runs = Number(process.env["RUNS"] ?? (isSoak ? 1_000 : 8));

/** A replica keeps its name when the count changes from one: what counts is whose it is. */
function byService(world: World): World {
  return {
    ...world,
    replicas: async () => (await world.replicas()).map((each) => ({ ...each, name: each.name.replace(/-\d+$/, "") })),
  };
}

describe("random edits, commands and failures", () => {
  let children: Children;
  before(() => void (children = new Children(1)));
  after(() => children[Symbol.asyncDispose]());

  const reachesItsDeclaration = async (deeds: readonly Deed[]): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), "histories-"));
    const world = await subject.start(folder);
    const site = { folder, places: world.places };
    let declaration = first;
    let struck = 0;
    try {
      for (const deed of deeds) {
        declaration = edited(declaration, deed);
        if (deed.kind !== "command") continue;
        const { command, fault } = deed;
        const step = { command, services: yamlOf(declaration) };
        const ended = await children.run({
          subject: subject.url,
          site,
          step,
          ...(fault === undefined ? {} : { fault }),
        });
        if (ended.kind === "killed" || ended.isStruck) struck += 1;
        else assert.notEqual(ended.code, "UNEXPECTED", ended.kind === "ended" ? ended.reason : "");
      }
      const wanted = working(declaration);
      assert.equal(await plainly(subject, site, { command: "deploy", services: yamlOf(wanted) }), 0);
      await isRight(subject, site, byService(world), { services: yamlOf(wanted), runs: runsOf(wanted), struck });
    } finally {
      await world.stop();
      await rm(folder, { recursive: true });
    }
  };

  for (const { name, deeds } of keptHistories) test(name, () => reachesItsDeclaration(deeds));

  test(`${runs} random histories end as they were declared`, async (context) => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
    context.diagnostic(`${runs} histories; SEED=${seed}`);
    const property = fc.asyncProperty(histories, reachesItsDeclaration);
    // To make a counter-example small takes minutes: the plain run tells the seed of it.
    await fc.assert(property, { numRuns: runs, seed, endOnFailure: !isSoak });
  });
});
