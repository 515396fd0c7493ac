import assert from "node:assert/strict";
import { hasErrors, type ResourceSpec } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { serves } from "../spec.ts";

/** The platform enforces the limit, or the provider's `check` says beforehand that it cannot. */
async function enforcedOrRefused(bench: Bench, field: string, limits: ResourceSpec): Promise<void> {
  const web = await bench.service();
  const scale = { replicas: 1, ...limits };
  const problems = bench.provider.check(web.spec(serves("one"), { scale }), bench.health, web.instance);
  if (hasErrors(problems)) {
    assert.ok(
      problems.some((each) => each.field?.startsWith(field) === true),
      "another field is refused",
    );
    return;
  }
  await web.up(serves("one"), { scale });
  assert.deepEqual((await web.replica()).limits, limits);
}

export const limits = group("limits", ["deploy"], {
  "memory-is-limited-or-refused": [
    "A memory limit is enforced by the platform, or refused beforehand.",
    (bench) => enforcedOrRefused(bench, "scale.memory", { memoryMb: 256 }),
  ],
  "cpu-is-limited-or-refused": [
    "A CPU limit is enforced by the platform, or refused beforehand.",
    (bench) => enforcedOrRefused(bench, "scale.cpu", { cpuMillis: 500 }),
  ],
  "disk-is-not-ignored": [
    "A disk limit is refused, or the release with it serves.",
    async (bench) => {
      const web = await bench.service();
      const spec = web.spec(serves("one"), { scale: { replicas: 1, diskMb: 512 } });
      const problems = bench.provider.check(spec, bench.health, web.instance);
      if (problems.some((each) => each.field?.startsWith("scale.disk") === true)) return;
      await web.up(serves("one"), { scale: spec.scale });
      assert.equal(await web.answers(), "one");
    },
  ],
  "usage-names-every-replica": [
    "`resources` gives the use of every replica by its name, with a time.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      const { at, replicas } = await bench.provider.resources({ instance: web.instance }, bench.context());
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, at);
      assert.deepEqual(
        replicas.map((each) => each.replica).toSorted(),
        (await web.running()).map((each) => each.name).toSorted(),
      );
      assert.ok(replicas.every((each) => each.cpuMillis >= 0 && each.memoryMb >= 0));
    },
  ],
  "no-limit-is-no-limit": [
    "Where none is asked for none is set.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      assert.deepEqual((await web.replica()).limits, {});
    },
  ],
});
