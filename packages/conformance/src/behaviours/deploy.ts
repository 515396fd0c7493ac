import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import { rejects, sampled } from "../expect.ts";
import { Refused } from "../refused.ts";
import { versionsOf } from "../service.ts";
import { ends, recreate, serves } from "../spec.ts";

const quick = { ...recreate, timeoutMs: 1_500 };

export const deploy = group("deploy", ["deploy"], {
  "serves-when-returned": [
    "When `deploy` returns the release answers, also if it takes a while to.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one", { readyMs: 300 }));
      const result = await web.deploy(release);
      assert.equal(await web.answers(), "one");
      assert.equal(result.state, "serving");
    },
  ],
  "every-replica-runs-when-returned": [
    "When `deploy` returns all its replicas run, and no more than those.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one", { readyMs: 200 }), { scale: { replicas: 3 } });
      const { status } = await web.deploy(release);
      assert.equal(await web.versions(), "one one one");
      assert.deepEqual(
        status.revisions.map(({ desired, ready }) => [desired, ready]),
        [[3, 3]],
      );
    },
  ],
  "settles-the-release": [
    "What serves is on record on the platform: release, hashes, deployment, replicas.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one"), { scale: { replicas: 2 } });
      const request = web.request(release);
      await bench.provider.deploy(request, bench.context());
      const { settled } = await web.status();
      const { id: releaseId, number, specHash, revision } = release;
      const { replicaHash, generation } = revision;
      const { deployment, replicas } = request;
      const wanted = { releaseId, number, specHash, replicaHash, generation, deployment, replicas };
      assert.deepEqual({ ...settled, ...wanted }, settled);
    },
  ],
  "tells-what-is-there": [
    "The status in the result is that of `status`.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one"), { scale: { replicas: 2 } });
      const { status } = await web.deploy(release);
      const { state, settled, revisions, addresses } = await web.status();
      const told = { state: status.state, settled: status.settled, revisions: status.revisions };
      assert.deepEqual(told, { state, settled, revisions });
      assert.deepEqual(status.addresses, addresses);
    },
  ],
  "replaces-the-old": [
    "A new release alone runs and answers.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      await web.up(serves("two"), { scale: { replicas: 2 } });
      assert.equal(await web.versions(), "two two");
      assert.equal(await web.answers(), "two");
      assert.equal((await web.status()).settled?.number, 2);
    },
  ],
  "recreate-never-runs-two": [
    "With recreate the old and the new never run at a time.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const two = await web.release(serves("two", { readyMs: 200 }));
      const { seen } = await sampled(async () => versionsOf(await web.runningAtOnce()), web.deploy(two));
      assert.deepEqual(
        seen.filter((each) => each.includes("one") && each.includes("two")),
        [],
      );
    },
  ],
  "a-change-of-ports-replaces-nothing": [
    "A change of the published port alone moves the address, and replaces no replica.",
    async (bench) => {
      const [web, other] = [await bench.service(), await bench.service("other")];
      const one = await web.up(serves("one"));
      const before = await web.ids();
      const { ports } = other.spec(serves("one"));
      const release = web.pin({ ...one.spec, ports }, one.image);
      web.requireAccepted(release.spec);
      await web.deploy(release);
      assert.equal(await web.answers(), "one");
      if (web.url(one.spec) !== web.url()) assert.equal(await web.ask(one.spec), undefined);
      assert.deepEqual(await web.ids(), before);
    },
  ],
  "none-wanted-runs-none": [
    "A deploy of no replicas runs none, publishes nothing, and is stopped.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"));
      const { status } = await web.deploy(one, { replicas: 0 });
      assert.deepEqual(await web.running(), []);
      assert.equal(status.state, "stopped");
      assert.equal(await web.ask(), undefined);
    },
  ],
  "over-a-left-over-revision": [
    "A deploy over half a deployment ends with its own release alone.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const broken = await web.release({ kind: "deaf", version: "two" }, { strategy: { ...quick, onFailure: "hold" } });
      await rejects(web.deploy(broken), "FAILED");
      await web.up(serves("three"));
      assert.equal(await web.versions(), "three");
      assert.equal((await web.look())?.replicas.length, 1);
    },
  ],
});

export const verdicts = group("verdicts", ["deploy"], {
  "an-end-is-a-failure": [
    "A release whose program ends fails with `EXITED` or `CRASH_LOOP`, and its exit code.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("one", 7));
      const { failure } = await rejects(web.deploy(release), "FAILED");
      assert.ok(failure?.verdict === "EXITED" || failure?.verdict === "CRASH_LOOP", failure?.verdict);
      assert.equal(failure.exitCode, 7);
    },
  ],
  "a-failure-tells-the-last-lines": [
    "A failure carries what the program printed last.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("onlyversion", 7));
      const { failure } = await rejects(web.deploy(release), "FAILED");
      assert.ok(
        failure?.logTail?.some((line) => line.includes("onlyversion")),
        JSON.stringify(failure?.logTail),
      );
      assert.ok((failure?.logTail?.length ?? 0) <= 20);
    },
  ],
  "a-failed-first-leaves-nothing": [
    "A first release that fails leaves no program running, and says that it is taken back.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release({ kind: "deaf", version: "one" }, { strategy: quick });
      const { failure } = await rejects(web.deploy(release), "FAILED");
      assert.equal(failure?.reverted, true);
      assert.deepEqual(await web.running(), []);
    },
  ],
  "a-failed-update-keeps-the-old": [
    "When a release fails the one before serves again, on all its replicas, and `reverted` says so.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"), { scale: { replicas: 2 } });
      const two = await web.release(ends("two", 1), { scale: { replicas: 2 } });
      const { failure } = await rejects(web.deploy(two), "FAILED");
      assert.equal(failure?.reverted, true);
      assert.equal(await web.versions(), "one one");
      assert.equal(await web.answers(), "one");
      assert.equal((await web.status()).settled?.releaseId, one.id);
    },
  ],
  "the-way-back-is-decided-first": [
    "A way back is in the journal, with why.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("one", 1));
      const journal = bench.journal();
      await rejects(web.deploy(release, { journal }), "FAILED");
      const [last] = journal.decisions.slice(-1);
      assert.equal(last?.kind, "revert");
      assert.notEqual(last.failure?.verdict, undefined);
    },
  ],
  "a-begun-way-back-is-finished": [
    "A deploy whose journal holds `revert` goes back, and throws the failure that was recorded.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const two = await web.release(serves("two"));
      const journal = bench.journal([{ kind: "revert", failure: { verdict: "OOM", exitCode: 137 } }]);
      const { failure } = await rejects(web.deploy(two, { journal }), "FAILED");
      assert.equal(failure?.verdict, "OOM");
      assert.equal(failure.reverted, true);
      assert.equal(await web.versions(), "one");
      assert.equal(await web.answers(), "one");
    },
  ],
  "never-ready-ends-in-time": [
    "A release that does not become ready fails once its time is over, with a verdict that says so.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release({ kind: "deaf", version: "one" }, { strategy: quick });
      const begin = performance.now();
      const { failure } = await rejects(web.deploy(release), "FAILED");
      const elapsedMs = performance.now() - begin;
      assert.ok(["PORT_CLOSED", "START_TIMEOUT", "UNHEALTHY"].includes(failure?.verdict ?? ""), failure?.verdict);
      assert.ok(elapsedMs > 1_000, `after ${elapsedMs} ms`);
    },
  ],
  "an-ill-one-is-unhealthy": [
    "A release whose health check fails is `UNHEALTHY`, and the one before serves.",
    async (bench) => {
      const web = await bench.service();
      const health = {
        probe: { kind: "http", path: "/health" },
        intervalMs: 100,
        timeoutMs: 1_000,
        retries: 3,
        graceMs: 0,
        onFailure: { action: "restart", declared: false },
      } as const;
      // A slow machine may need longer to start it than three checks last.
      await web.up(serves("one"), { health: { ...health, graceMs: 20_000 } });
      const two = await web.release(
        { kind: "ill", version: "two" },
        { health, strategy: { ...recreate, timeoutMs: 5_000 } },
      );
      const { failure } = await rejects(web.deploy(two), "FAILED");
      assert.equal(failure?.verdict, "UNHEALTHY");
      assert.equal(await web.answers(), "one");
    },
  ],
  "what-is-missing-is-told": [
    "A program that does not exist is `INVALID` before anything is deployed, or fails with `IMAGE_PULL` or `COMMAND_NOT_FOUND`.",
    async (bench) => {
      const web = await bench.service();
      const attempt = async (): Promise<void> => {
        const release = await web.release({ kind: "missing", version: "one" });
        await web.deploy(release);
      };
      const { code, failure } = await rejects(attempt(), "INVALID", "FAILED");
      if (code === "FAILED")
        assert.ok(["IMAGE_PULL", "COMMAND_NOT_FOUND"].includes(failure?.verdict ?? ""), failure?.verdict);
      assert.deepEqual(await web.running(), []);
    },
  ],
  "a-taken-port-is-told": [
    "A published port that another instance has fails with `PORT_IN_USE`, and stays the other's.",
    async (bench) => {
      const [first, second] = [await bench.service(), await bench.service("api")];
      await first.up(serves("one"));
      const { ports } = first.spec(serves("one"));
      if (ports.every((each) => each.hostPort === undefined)) throw new Refused("it has no port");
      const release = await second.release(serves("two"), { ports });
      const { failure } = await rejects(second.deploy(release), "FAILED");
      assert.equal(failure?.verdict, "PORT_IN_USE");
      assert.equal(await first.answers(), "one");
    },
  ],
  "hold-does-not-go-back": [
    "With `onFailure: hold` a failed recreate stays as it failed, and `reverted` is false.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const two = await web.release({ kind: "deaf", version: "two" }, { strategy: { ...quick, onFailure: "hold" } });
      const { failure } = await rejects(web.deploy(two), "FAILED");
      assert.equal(failure?.reverted, false);
      assert.equal(await web.versions(), "two");
    },
  ],
  "what-is-held-is-mended-by-a-deploy": [
    "A release that failed and was held is replaced by the next one.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.release({ kind: "deaf", version: "one" }, { strategy: { ...quick, onFailure: "hold" } });
      await rejects(web.deploy(one), "FAILED");
      await web.up(serves("two"));
      assert.equal(await web.versions(), "two");
      assert.equal(await web.answers(), "two");
    },
  ],
  "an-old-one-that-is-dead-is-told": [
    "Where neither the new release nor the one before serves, `reverted` is false.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.release(ends("one", 1), { strategy: quick });
      const two = await web.release(ends("two", 1), { strategy: quick });
      const { failure } = await rejects(web.deploy(two, { previous: one }), "FAILED");
      assert.equal(failure?.reverted, false);
    },
  ],
});
