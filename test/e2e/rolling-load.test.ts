import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LoadReport } from "../load/load-report.ts";
import { runLoad } from "../load/run-load.ts";
import { Project } from "./fixture.ts";
import type { Behaviour } from "./server-folder.ts";
import { isSoak } from "./soak.ts";

const deploys = isSoak ? 10 : 3;

/**
 * Needs 1 s to start and 2 s to end, and for every fiftieth answer 8 s: longer than the 5 s for which replaced replicas stay,
 * unrouted, beside the new ones. What it has not answered at SIGTERM is cut.
 */
const behaviour = (version: string): Behaviour => ({ version, startMs: 1000, answerMs: 20, slowMs: 8000, endMs: 2000 });

/**
 * 200 requests a second, none sent twice, over kept connections while versions follow each other. POST: the gateway may not repeat
 * it once a replica has it, so nothing but draining saves what is in flight.
 */
async function underLoad(strategy: string, count: number): Promise<{ report: LoadReport; seen: string[] }> {
  await using project = await Project.withServer(behaviour("v0"), [
    "scale: { replica: 2 }",
    `strategy: ${strategy}`,
    "stop: { grace: 5 }",
  ]);
  await project.ok("deploy");
  const seen = new Set<string>();
  const over = new AbortController();
  const load = runLoad({
    url: `http://127.0.0.1:${project.port}/`,
    method: "POST",
    ratePerSecond: 200,
    connections: 100,
    signal: over.signal,
    timeoutMs: 20_000,
    judge: ({ status, body }) => {
      const version = /"version":"(v\d+)"/.exec(body)?.[1];
      if (version !== undefined) seen.add(version);
      return status === 200 && version !== undefined ? undefined : `status ${status}`;
    },
  });
  try {
    for (let index = 1; index <= count; index += 1) {
      await project.change(behaviour(`v${index}`));
      await project.ok("deploy");
    }
  } finally {
    over.abort();
  }
  const report = await load;
  assert.deepEqual(await project.versions(), [`v${count}`]);
  assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
  return { report, seen: [...seen].toSorted() };
}

describe("rolling deploys under load", { concurrency: true }, () => {
  test(`${deploys} deploys lose no request`, async (t) => {
    const { report, seen } = await underLoad("rolling", deploys);
    t.diagnostic(
      `${deploys} deploys, ${report.sent} requests in ${report.sendingMs} ms: ${report.failed} failed, p99 ${report.p99Ms} ms`,
    );
    assert.deepEqual(report.failures, {});
    assert.ok(report.sent > deploys * 200, "too few requests to mean anything");
    assert.equal(seen.length, deploys + 1, `versions that answered: ${seen.join(" ")}`);
  });

  test("control: without draining the same load loses requests", async (t) => {
    const { report, seen } = await underLoad("{ type: rolling, drain: 0 }", 1);
    t.diagnostic(`drain: 0, ${report.sent} requests: ${JSON.stringify(report.failures)} failed`);
    assert.ok(report.failed > 0);
    // What was in flight to the two retired replicas: a fiftieth of 200 a second for 8 s at the most.
    assert.ok(report.failed < 64, "more was lost than was in flight");
    for (const reason of Object.keys(report.failures)) assert.match(reason, /^(status 502|ECONNRESET)$/);
    assert.equal(seen.length, 2);
  });
});
