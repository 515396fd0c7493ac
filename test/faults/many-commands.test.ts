import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Change } from "@ctrlplane/core";
import { servePlatform, type ServedPlatform } from "@ctrlplane/provider-reference";
import { heard, outcomeOf, Workbench } from "../e2e/workbench.ts";

const count = 50;
const built = pathToFileURL(join(import.meta.dirname, "../../packages/providers/reference/dist/index.js")).href;

/** A project of the built `pctl` on a simulated platform that the test's own process serves. */
async function projectOn(platform: ServedPlatform): Promise<Workbench> {
  const bench = await Workbench.create();
  await bench.write({
    "platform.mjs": `export { provider } from ${JSON.stringify(built)};\n`,
    "pctl.yaml": [
      "name: shop",
      "provider: ref",
      `providers: { ref: { type: ./platform.mjs, options: { socket: ${JSON.stringify(platform.socket)} } } }`,
      'services: { web: { image: "${env:IMAGE}", strategy: recreate, keep: 100 } }',
    ].join("\n"),
  });
  return bench;
}

describe("the built pctl, many at once", () => {
  test(`${count} deploys of one stack, each of another version`, async (context) => {
    const folder = (await Workbench.create()).folder;
    const platform = await servePlatform(join(folder, "platform.sock"), { pace: 0 });
    const bench = await projectOn(platform);
    try {
      const numbers = Array.from({ length: count }, (_, index) => index + 1);
      const deploy = (n: number) =>
        bench.pctl(["deploy", "--yes", "--quiet", "--lock-wait", "1h"], { env: { IMAGE: `ok:${n}` } });
      for (const { code, stdout, stderr } of await Promise.all(numbers.map(deploy)))
        assert.equal(code, 0, `${stdout}${stderr}`);

      const told = await bench.pctl(["history", "--json", "--limit", "100"], { env: { IMAGE: "ok:1" } });
      assert.equal(told.code, 0, told.stderr);
      const { changes, releases } = JSON.parse(told.stdout) as {
        changes: readonly Change[];
        releases: readonly { readonly image: string }[];
      };
      assert.deepEqual(
        changes.map((each) => `${each.number} ${each.result?.outcome}`),
        numbers.toReversed().map((n) => `${n} succeeded`),
        "one history, without a gap",
      );
      assert.equal(new Set(releases.map((each) => each.image)).size, count, "every version became a release");

      const runs = Object.values(platform.state.replicas);
      assert.equal(runs.length, 1, "one replica runs");
      const plan = await bench.pctl(["plan", "--exit-code"], { env: { IMAGE: runs[0]?.behaviour ?? "" } });
      assert.equal(plan.code, 0, plan.stdout + plan.stderr);
      const { $state } = JSON.parse(await readFile(join(bench.folder, "pctl.shop.json"), "utf8")) as {
        readonly $state: { readonly last_change: number };
      };
      assert.equal($state.last_change, count, "the state file knows the last change");
      context.diagnostic(`${count} built pctl deploy at once`);
    } finally {
      await bench.dispose();
      await platform.stop();
    }
  });

  test("one that was frozen while it held the lease writes nothing once it is thawed", async () => {
    const folder = (await Workbench.create()).folder;
    const platform = await servePlatform(join(folder, "platform.sock"), { pace: 0 });
    const bench = await projectOn(platform);
    try {
      const holder = bench.start(["deploy", "--yes", "--json"], { env: { IMAGE: "slow:600000" } });
      holder.stdin?.end();
      const outcome = outcomeOf(holder);
      await heard(holder.stdout, '"replica.created"');
      holder.kill("SIGSTOP");
      const unlocked = await bench.pctl(["state", "unlock", "--yes"], { env: { IMAGE: "ok:2" } });
      assert.equal(unlocked.code, 0, unlocked.stderr);
      const second = await bench.pctl(["deploy", "--yes"], { env: { IMAGE: "ok:2" } });
      assert.equal(second.code, 0, second.stdout + second.stderr);
      const before = structuredClone(platform.state);
      holder.kill("SIGCONT");
      const { code, stdout } = await outcome;
      assert.equal(code, 5, stdout);
      assert.deepEqual(platform.state, before, "the old holder wrote");
    } finally {
      await bench.dispose();
      await platform.stop();
    }
  });
});
