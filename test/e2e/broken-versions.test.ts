import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runLoad } from "../load/run-load.ts";
import { Project } from "./fixture.ts";
import type { Behaviour } from "./server-folder.ts";

interface Case {
  readonly title: string;
  readonly broken: Behaviour;
  readonly keys: readonly string[];
  readonly method: string;
  readonly said: readonly RegExp[];
}

const cases: readonly Case[] = [
  {
    title: "one that crashes at once",
    broken: { version: "bad", crashes: true },
    keys: [],
    method: "POST",
    said: [/✗ web +release 2: CRASH_LOOP/, /exit +code 1/, /cannot find checkout/],
  },
  {
    title: "one that never gets healthy",
    broken: { version: "bad", isUnhealthy: true },
    keys: ["health: { http: /up, interval: 500ms, retries: 2, grace: 1 }"],
    method: "POST",
    said: [/✗ web +release 2: UNHEALTHY/, /\/up.*500/, /version bad listens/],
  },
  {
    title: "one that dies after 3 s",
    broken: { version: "bad", diesAfterMs: 3000 },
    keys: [],
    // It did get requests: what may be repeated is; a POST that it took with it cannot be saved by anybody.
    method: "GET",
    said: [/✗ web +release 2: (EXITED|CRASH_LOOP)/, /exit +code 1/, /lost the database/],
  },
];

describe("a broken version: exit 3, and the old one serves all the time", { concurrency: true }, () => {
  for (const { title, broken, keys, method, said } of cases) {
    test(title, async (t) => {
      await using project = await Project.withServer({ version: "good", answerMs: 20 }, [
        "scale: { replica: 2 }",
        ...keys,
      ]);
      await project.ok("deploy");
      const before = project.replicas();
      await project.change(broken);

      const over = new AbortController();
      const load = runLoad({
        url: `http://127.0.0.1:${project.port}/`,
        ratePerSecond: 50,
        connections: 10,
        method,
        signal: over.signal,
      });
      const failed = await project.pctl(["deploy"]);
      over.abort();
      const report = await load;
      t.diagnostic(`${report.sent} requests, ${report.failed} failed`);
      const output = failed.stdout + failed.stderr;
      assert.equal(failed.code, 3, output);
      for (const pattern of said) assert.match(output, pattern);
      assert.match(output, /pctl\.yaml:4:3: web release 2 /);
      assert.match(output, /next +pctl logs web --change 2 /);
      assert.match(output, /Change #2 failed and was reverted in .* \(exit 3\)/);
      assert.deepEqual(report.failures, {});
      assert.ok(report.sent > 10);

      assert.deepEqual(project.replicas(), before, "the old replicas were replaced or joined by others");
      assert.deepEqual(await project.versions(), ["good"]);
      assert.match(await project.ok("logs", "web", "--change", "2"), /version bad starts/);

      await project.change({ version: "fixed" });
      await project.ok("deploy");
      assert.deepEqual(await project.versions(), ["fixed"]);
      assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
    });
  }
});
