import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Project } from "./fixture.ts";
import { outcomeOf } from "./workbench.ts";
import { randomFrom } from "./random.ts";
import { isSoak } from "./soak.ts";

const kills = isSoak ? 20 : 6;

/** `SEED=n` repeats a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/**
 * `pctl deploy` is killed at a random moment between its start and the time that a whole one took; then one plain deploy. What
 * runs must be what is declared: every replica once, all of the new version, no process besides, and a plan without work.
 */
test(`pctl killed at ${kills} random moments of a deploy`, async (t) => {
  await using project = await Project.withServer({ version: "v0", startMs: 200, endMs: 200 }, [
    "scale: { replica: 3 }",
  ]);
  const declared = ["shop-web-1", "shop-web-2", "shop-web-3"];
  await project.ok("deploy");
  await project.change({ version: "v1", startMs: 200, endMs: 200 });
  const startedAt = performance.now();
  await project.ok("deploy");
  const wholeMs = performance.now() - startedAt;
  t.diagnostic(`SEED=${seed}; a whole deploy takes ${Math.round(wholeMs)} ms`);

  const random = randomFrom(seed);
  let interrupted = 0;
  for (let index = 0; index < kills; index += 1) {
    const version = `kill-${index}`;
    const afterMs = Math.round(random() * wholeMs);
    const at = `SEED=${seed}, kill ${index} after ${afterMs} ms`;
    await project.change({ version, startMs: 200, endMs: 200 });
    const child = project.start(["deploy"]);
    child.stdin?.end();
    const outcome = outcomeOf(child);
    await sleep(afterMs);
    child.kill("SIGKILL");
    const { code, stdout } = await outcome;
    if (code === null) interrupted += 1;
    // In the moment of the kill as afterwards: somebody answers.
    await project.ask();

    const again = await project.pctl(["deploy"]);
    assert.equal(
      again.code,
      0,
      `${at}: the killed one printed\n${stdout}\nthe next one\n${again.stdout}${again.stderr}`,
    );
    assert.deepEqual(project.replicaNames(), declared, at);
    assert.deepEqual(await project.versions(), [version], at);
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/, at);
    const others = project.processes().filter(({ role }) => role === "pctl" || role === "other");
    assert.deepEqual(others, [], at);
    // A shim ends a moment after the replica that it started.
    await eventually(
      `${at}: one shim a replica`,
      () => project.processes().filter(({ role }) => role === "shim").length === declared.length,
      2000,
    );
  }
  t.diagnostic(`${interrupted} of ${kills} deploys were killed before their end`);
  assert.ok(interrupted > 0);
});
