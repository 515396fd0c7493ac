import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import { rejects } from "../expect.ts";
import { recreate, serves } from "../spec.ts";

export const timeouts = group("timeouts", ["deploy"], {
  "the-strategys-time-is-kept": [
    "A program that gets ready in time passes, one that takes longer fails.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one", { readyMs: 200 }));
      const strategy = { ...recreate, timeoutMs: 3_000 };
      const slow = await web.release(serves("two", { readyMs: 300_000 }), { strategy });
      const begin = performance.now();
      await rejects(web.deploy(slow), "FAILED");
      const elapsedMs = performance.now() - begin;
      assert.ok(elapsedMs > 2_500, `it failed after ${Math.round(elapsedMs)} ms`);
    },
  ],
  "what-ends-is-not-waited-for": [
    "A program that ended is told long before the strategy's time is over.",
    async (bench) => {
      const web = await bench.service();
      const strategy = { ...recreate, timeoutMs: 50_000 };
      const release = await web.release({ kind: "ends", version: "one", exitCode: 1 }, { strategy });
      const begin = performance.now();
      await rejects(web.deploy(release), "FAILED");
      assert.ok(performance.now() - begin < 40_000);
    },
  ],
  "an-unreachable-platform-is-told-soon": [
    "Without its platform a call ends with an error within half a minute.",
    async (bench) => {
      const web = await bench.service();
      const apart = bench.harness.unreachable();
      const begin = performance.now();
      await rejects(
        apart.deploy(
          web.request(web.pin(web.spec(serves("one")), { digest: "sha256:0", declared: "one" })),
          bench.context(),
        ),
        "UNAVAILABLE",
        "INVALID",
        "FORBIDDEN",
        "NOT_FOUND",
      );
      await apart.close();
      assert.ok(performance.now() - begin < 30_000);
    },
  ],
});
