import assert from "node:assert/strict";
import type { AdvanceRequest, DeployRequest, DeployResult } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { eventually, rejects } from "../expect.ts";
import type { TestJournal } from "../journal.ts";
import type { Service } from "../service.ts";
import { blueGreen, canary as canaryStrategy, ends, serves, type recreate } from "../spec.ts";

interface Paused {
  readonly web: Service;
  readonly request: DeployRequest;
  readonly journal: TestJournal;
  readonly result: DeployResult;
  /** As another command of the engine does it: the same request, with the journal as it stands. */
  readonly advance: (to: AdvanceRequest["to"], full?: boolean) => Promise<DeployResult>;
}

/** Release one serves, and release two waits at its first step. */
async function paused(
  bench: Bench,
  strategy: typeof recreate,
  { replicas = 1, diesMs }: { readonly replicas?: number; readonly diesMs?: number } = {},
): Promise<Paused> {
  const web = await bench.service();
  await web.up(serves("one"), { scale: { replicas }, strategy });
  const program = serves("two", diesMs === undefined ? {} : { diesMs });
  const two = await web.release(program, { scale: { replicas }, strategy });
  const journal = bench.journal();
  const request = web.request(two, { journal });
  const result = await bench.provider.deploy(request, bench.context());
  assert.equal(result.state, "paused");
  const advance: Paused["advance"] = (to, full = false) =>
    bench.provider.advance({ ...request, to, full }, bench.context());
  return { web, request, journal, result, advance };
}

async function shares(web: Service, requests: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < requests; index += 1) {
    const version = (await web.answers()) || "nobody";
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}

/** The platform knows that a replica of the new release ended: whether it has started it again or not. */
async function noticed(web: Service): Promise<void> {
  await eventually("the platform notices the end", async () => {
    const { revisions } = await web.status();
    const { ready = 0, restarts = 0 } =
      revisions.find((each) => each.replicaHash !== web.serving?.revision.replicaHash) ?? {};
    return ready === 0 || restarts > 0 ? true : undefined;
  });
}

async function requireWeights(bench: Bench, web: Service, wanted: readonly number[]): Promise<void> {
  const { revisions } = await bench.provider.status({ instance: web.instance }, bench.context());
  assert.deepEqual(
    revisions.map((each) => Math.round(each.weight)).toSorted((a, b) => a - b),
    wanted,
  );
}

export const blue_green = group("blue_green", ["deploy", "blue_green"], {
  "the-new-waits-unrouted": [
    "The new release runs whole beside the old one, and every request still goes to the old.",
    async (bench) => {
      const { web } = await paused(bench, blueGreen, { replicas: 2 });
      assert.equal(await web.versions(), "one one two two");
      assert.deepEqual(await shares(web, 10), { one: 10 });
    },
  ],
  "promote-cuts-over": [
    "`promote` routes everything to the new release, and ends the old.",
    async (bench) => {
      const { web, request, advance } = await paused(bench, blueGreen);
      const result = await advance("promote");
      assert.equal(result.state, "serving");
      assert.deepEqual(await shares(web, 5), { two: 5 });
      assert.equal(await web.versions(), "two");
      assert.equal((await web.status()).settled?.releaseId, request.release.id);
    },
  ],
  "abort-takes-it-back": [
    "`abort` ends the new release, and leaves the old one's very replicas.",
    async (bench) => {
      const { web, advance } = await paused(bench, blueGreen);
      const old = (await web.running()).filter((each) => each.version === "one");
      const result = await advance("abort");
      assert.equal(result.state, "serving");
      assert.deepEqual(await web.running(), old);
      assert.deepEqual(await shares(web, 5), { one: 5 });
      assert.equal((await web.status()).settled?.number, 1);
    },
  ],
  "a-pause-is-kept": [
    "The same deploy again stays paused, replaces nothing, and decides nothing.",
    async (bench) => {
      const { web, request, journal } = await paused(bench, blueGreen);
      const before = await web.running();
      const decided = journal.decisions.length;
      const other = bench.harness.connect();
      assert.equal((await other.deploy(request, bench.context())).state, "paused");
      await other.close();
      assert.deepEqual(await web.running(), before);
      assert.equal(journal.decisions.length, decided);
    },
  ],
  "what-fails-is-taken-back": [
    "A new release that ends before the cut-over fails, and the old one's very replicas serve.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { strategy: blueGreen });
      const before = await web.running();
      const two = await web.release(ends("two", 1), { strategy: blueGreen });
      const { failure } = await rejects(web.deploy(two), "FAILED");
      assert.equal(failure?.reverted, true);
      assert.deepEqual(await web.running(), before);
    },
  ],
  "an-end-during-the-pause-is-told": [
    "A replica that ended while it was paused fails the release when it is promoted.",
    async (bench) => {
      const { web, advance } = await paused(bench, blueGreen);
      const second = (await web.running()).find((each) => each.version === "two");
      assert.ok(second !== undefined);
      await bench.harness.kill(second);
      await noticed(web);
      const { failure } = await rejects(advance("promote"), "FAILED");
      assert.equal(failure?.reverted, true);
      assert.equal(await web.versions(), "one");
      assert.equal(await web.answers(), "one");
    },
  ],
  "a-first-release-does-not-pause": [
    "A first release serves at once: there is nothing to compare it with.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one"), { strategy: blueGreen });
      assert.equal((await web.deploy(release)).state, "serving");
      assert.equal(await web.answers(), "one");
    },
  ],
});

export const canary = group("canary", ["deploy", "canary"], {
  "a-step-has-its-share": [
    "At a step of 25 % a quarter of the requests goes to the new release.",
    async (bench) => {
      const { web } = await paused(bench, canaryStrategy, { replicas: 2 });
      const { one = 0, two = 0, nobody = 0 } = await shares(web, 80);
      assert.equal(nobody, 0);
      assert.ok(two >= 10 && two <= 30, `${two} of 80 went to the new release, ${one} to the old`);
      await requireWeights(bench, web, [25, 75]);
    },
  ],
  "the-old-all-stay": [
    "While it is paused all replicas of the old release run.",
    async (bench) => {
      const { web } = await paused(bench, canaryStrategy, { replicas: 2 });
      assert.equal(await web.versions(), "one one two");
    },
  ],
  "a-pause-is-in-the-journal": [
    "A pause is decided after its step, and returned with the step's number.",
    async (bench) => {
      const { journal, result } = await paused(bench, canaryStrategy);
      assert.deepEqual(
        journal.decisions.map((each) => each.kind),
        ["step", "pause"],
      );
      assert.ok(result.state === "paused" && result.step === 1 && result.until === undefined);
    },
  ],
  "a-pause-is-kept": [
    "The same deploy again, from another provider, stays paused and changes nothing.",
    async (bench) => {
      const { web, request, journal } = await paused(bench, canaryStrategy);
      const before = await web.running();
      const other = bench.harness.connect();
      assert.equal((await other.deploy(request, bench.context())).state, "paused");
      await other.close();
      assert.deepEqual(await web.running(), before);
      assert.equal(journal.decisions.length, 2);
      await requireWeights(bench, web, [25, 75]);
    },
  ],
  "promote-goes-to-the-next-step": [
    "`promote` goes on to the next step, and pauses there again.",
    async (bench) => {
      const { web, advance } = await paused(bench, { ...canaryStrategy, steps: [10, 50] });
      await requireWeights(bench, web, [10, 90]);
      const result = await advance("promote");
      assert.ok(result.state === "paused" && result.step === 2);
      await requireWeights(bench, web, [50, 50]);
    },
  ],
  "promote-ends-it": [
    "`promote` at the last step routes everything to the new release, and ends the old.",
    async (bench) => {
      const { web, advance } = await paused(bench, canaryStrategy, { replicas: 2 });
      assert.equal((await advance("promote")).state, "serving");
      assert.equal(await web.versions(), "two two");
      assert.deepEqual(await shares(web, 5), { two: 5 });
      assert.equal((await web.status()).settled?.number, 2);
    },
  ],
  "full-leaves-the-pauses-out": [
    "`promote` with `full` pauses no more.",
    async (bench) => {
      const { web, advance } = await paused(bench, { ...canaryStrategy, steps: [10, 50] });
      assert.equal((await advance("promote", true)).state, "serving");
      assert.equal(await web.versions(), "two");
    },
  ],
  "abort-takes-it-back": [
    "`abort` ends the new release, and every request goes to the old one's very replicas.",
    async (bench) => {
      const { web, journal, advance } = await paused(bench, canaryStrategy, { replicas: 2 });
      const old = (await web.running()).filter((each) => each.version === "one");
      assert.equal((await advance("abort")).state, "serving");
      assert.deepEqual(await web.running(), old);
      assert.deepEqual(await shares(web, 8), { one: 8 });
      assert.equal(journal.decisions.at(-1)?.kind, "abort");
    },
  ],
  "a-timed-pause-waits": [
    "A pause with a time is told with its end; before that the same deploy stays paused, after it goes on.",
    async (bench) => {
      const strategy = { ...canaryStrategy, pause: { ms: 3_600_000 } };
      const { web, request, result } = await paused(bench, strategy);
      assert.ok(result.state === "paused" && result.until !== undefined);
      const leftMs = Date.parse(result.until) - Date.now();
      assert.ok(leftMs > 3_500_000 && leftMs <= 3_600_000, `${leftMs} ms are left`);
      assert.equal((await bench.provider.deploy(request, bench.context())).state, "paused");
      const later = bench.context({ aheadMs: 3_700_000 });
      assert.equal((await bench.provider.deploy(request, later)).state, "serving");
      assert.equal(await web.versions(), "two");
    },
  ],
  "an-end-during-the-pause-is-told": [
    "A replica that ended while it was paused fails the release when it is promoted.",
    async (bench) => {
      const { web, advance } = await paused(bench, canaryStrategy);
      const second = (await web.running()).find((each) => each.version === "two");
      assert.ok(second !== undefined);
      await bench.harness.kill(second);
      await noticed(web);
      await rejects(advance("promote"), "FAILED");
      assert.equal(await web.versions(), "one");
      assert.deepEqual(await shares(web, 4), { one: 4 });
    },
  ],
  "another-release-replaces-what-is-paused": [
    "A deploy of another release over a paused one ends with that alone.",
    async (bench) => {
      const { web } = await paused(bench, canaryStrategy);
      await web.up(serves("three"));
      assert.equal(await web.versions(), "three");
      assert.equal(await web.answers(), "three");
    },
  ],
});
