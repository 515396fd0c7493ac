import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Workbench, outcomeOf } from "./workbench.ts";
import { randomFrom } from "./random.ts";
import { isSoak } from "./soak.ts";

const kills = isSoak ? 30 : 5;
/** `SEED=n` repeats a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

const declaration = `
name: shop
provider: local
services:
  migrate:
    image: ./migrate
    kind: job
    command: [sh, ./run]
    volumes: [{ path: data, name: effects }]
`;

/** Its effect is two lines, and half a second lies between them: `begin` and `end` of the version. */
const job = (version: string): string =>
  `echo "begin ${version}" >> data/effects\nsleep 0.5\necho "end ${version}" >> data/effects\n`;

function effects(bench: Workbench): string[] {
  const volumes = join(bench.environment["PCTL_LOCAL_DIR"] ?? "", "volumes");
  const file = readdirSync(volumes, { recursive: true, encoding: "utf8" }).find((each) => each.endsWith("/effects"));
  return file === undefined ? [] : readFileSync(join(volumes, file), "utf8").trim().split("\n");
}

test(`a job whose pctl or supervisor is killed at ${kills} random moments has its effect once`, async (t) => {
  const bench = await Workbench.create();
  t.after(() => bench.dispose());
  t.diagnostic(`SEED=${seed}`);
  const random = randomFrom(seed);
  const expected: string[] = [];
  for (let index = 0; index < kills; index += 1) {
    const version = `v${index}`;
    await bench.write({ "pctl.yaml": declaration, "migrate/run": job(version) });
    const child = bench.start(["deploy"]);
    child.stdin?.end();
    const outcome = outcomeOf(child);
    const afterMs = Math.round(random() * 1500);
    await sleep(afterMs);
    child.kill("SIGKILL");
    await outcome;
    if (index % 2 === 1) {
      const supervisor = /"pid": ?(\d+)/.exec((await bench.pctl(["local", "status", "--json"])).stdout)?.[1];
      assert.ok(supervisor, "a supervisor runs");
      process.kill(Number(supervisor), "SIGKILL");
    }
    const again = await bench.pctl(["deploy"]);
    assert.equal(again.code, 0, `SEED=${seed}, ${version} after ${afterMs} ms\n${again.stdout}${again.stderr}`);
    expected.push(`begin ${version}`, `end ${version}`);
    assert.deepEqual(effects(bench), expected, `SEED=${seed}, ${version} after ${afterMs} ms`);
  }
  const { stdout } = await bench.pctl(["status"]);
  assert.match(stdout, /migrate +local +completed, exit 0/);
});
