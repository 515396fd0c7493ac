import assert from "node:assert/strict";
import type { ServiceSpec } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { eventually, rejects } from "../expect.ts";
import type { Service } from "../service.ts";
import { ends, serves } from "../spec.ts";

const job: Partial<ServiceSpec> = { kind: "job", ports: [], job: { retry: false } };

/** How often the job was begun, by its own first line. */
async function begun(bench: Bench, web: Service, deployments: readonly string[], version: string): Promise<number> {
  let count = 0;
  for (const deployment of deployments) {
    const request = { instance: web.instance, follow: false, previous: false, deployment };
    for await (const { text } of bench.provider.logs(request, bench.context())) if (text.includes(version)) count += 1;
  }
  return count;
}

export const jobs = group("jobs", ["deploy", "logs"], {
  "ends-completed": [
    "When `deploy` returns the job has ended with 0, and nothing of it runs.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("one", 0, 200), job);
      const result = await web.deploy(release);
      assert.equal(result.state, "completed");
      assert.deepEqual(await web.running(), []);
      const { state, settled } = await web.status();
      assert.equal(state, "completed");
      assert.equal(settled?.releaseId, release.id);
      assert.notEqual(settled.completedAt, undefined);
    },
  ],
  "runs-once-a-release": [
    "A release that has completed is not run again.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("onlyversion", 0), job);
      const [first, second] = [web.request(release), web.request(release)];
      await bench.provider.deploy(first, bench.context());
      assert.equal((await bench.provider.deploy(second, bench.context())).state, "completed");
      assert.equal(await begun(bench, web, [first.deployment, second.deployment], "onlyversion"), 1);
    },
  ],
  "a-failure-is-told": [
    "A job that ends with another code fails with it, and leaves nothing running.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("brokenversion", 5), job);
      const { failure } = await rejects(web.deploy(release), "FAILED");
      assert.deepEqual([failure?.verdict, failure?.exitCode], ["EXITED", 5]);
      assert.ok(failure?.logTail?.some((line) => line.includes("brokenversion")));
      assert.deepEqual(await web.running(), []);
    },
  ],
  "an-attempt-is-waited-for": [
    "A deploy that was cancelled while the job ran waits for that attempt when called again, and starts no second.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("onlyversion", 0, 4_000), job);
      const request = web.request(release);
      const cancel = new AbortController();
      const refused = rejects(bench.provider.deploy(request, bench.context({ signal: cancel.signal })), "CANCELLED");
      await eventually("it runs", async () => ((await web.running()).length > 0 ? true : undefined));
      cancel.abort();
      await refused;
      assert.equal((await bench.provider.deploy(request, bench.context())).state, "completed");
      assert.equal(await begun(bench, web, [request.deployment], "onlyversion"), 1);
    },
  ],
  "a-rollback-runs-nothing": [
    "`rollback` of a job runs nothing.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.release(ends("firstversion", 0), job);
      await web.deploy(one);
      const two = await web.release(ends("secondversion", 0), job);
      await web.deploy(two);
      const request = web.request(one);
      const { previousReplicas: _, ...back } = request;
      await bench.provider.rollback(back, bench.context());
      assert.equal(await begun(bench, web, [request.deployment], "firstversion"), 0);
      assert.deepEqual(await web.running(), []);
    },
  ],
  "a-job-takes-no-traffic": [
    "A job publishes nothing.",
    async (bench) => {
      const web = await bench.service();
      await web.deploy(await web.release(ends("one", 0), job));
      assert.deepEqual((await web.status()).addresses, []);
    },
  ],
  "a-job-after-a-service": [
    "A service that became a job runs no more.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"));
      const release = await web.release(ends("two", 0), job);
      await web.deploy(release, { previous: one });
      assert.deepEqual(await web.running(), []);
      assert.equal(await web.ask(one.spec), undefined);
    },
  ],
});
