import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import { eventually, rejects } from "../expect.ts";
import { ending } from "../service.ts";
import { serves } from "../spec.ts";

export const lifecycle = group("lifecycle", ["provision", "deploy"], {
  "provision-runs-nothing": [
    "`provision` starts no program.",
    async (bench) => {
      const web = await bench.service();
      await web.release(serves("one"));
      assert.deepEqual(await web.running(), []);
    },
  ],
  "deprovision-leaves-nothing": [
    "After `deprovision` nothing runs, nothing has the name, and `list` does not know it.",
    async (bench) => {
      const web = await bench.service();
      const { spec } = await web.up(serves("one"), { scale: { replicas: 2 } });
      await web.deprovision();
      assert.equal(await web.look(), undefined);
      assert.deepEqual((await bench.provider.list({ stack: bench.stack }, bench.context())).instances, []);
      assert.equal(await web.ask(spec), undefined);
    },
  ],
  "deprovision-of-nothing-succeeds": [
    "`deprovision` of what does not exist succeeds.",
    async (bench) => {
      const web = await bench.service();
      await web.deprovision();
      await web.deprovision(true);
    },
  ],
  "status-of-nothing-is-not-found": [
    "`status` of what does not exist throws `NOT_FOUND`.",
    async (bench) => {
      const web = await bench.service();
      await rejects(web.status(), "NOT_FOUND");
    },
  ],
  "stop-of-nothing-is-not-found": [
    "`stop` of what does not exist throws `NOT_FOUND`.",
    async (bench) => {
      const web = await bench.service();
      await rejects(web.stop(), "NOT_FOUND");
    },
  ],
  "stop-ends-every-replica": [
    "When `stop` returns no replica runs, and `status` and `list` say stopped.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      const stopped = await web.stop();
      assert.deepEqual(await web.running(), []);
      const { instances } = await bench.provider.list({ stack: bench.stack }, bench.context());
      assert.deepEqual([stopped.state, stopped.stopped], ["stopped", true]);
      assert.deepEqual(
        instances.map((each) => [each.state, each.stopped]),
        [["stopped", true]],
      );
    },
  ],
  "stop-takes-it-off-its-address": [
    "When `stop` returns nobody answers at the address.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await web.stop();
      assert.equal(await web.ask(), undefined);
    },
  ],
  "stopped-stays-stopped": [
    "What was stopped is not started by other calls that only look.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await web.stop();
      await bench.provider.list({}, bench.context());
      assert.equal((await web.status()).state, "stopped");
      assert.deepEqual(await web.running(), []);
    },
  ],
  "start-brings-it-back": [
    "`start` after `stop` serves the same release, on as many replicas.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"), { scale: { replicas: 2 } });
      await web.stop();
      const status = await bench.provider.start(web.again(release), bench.context());
      assert.equal(await web.versions(), "one one");
      assert.equal(await web.answers(), "one");
      assert.deepEqual([status.state, status.stopped, status.settled?.number], ["serving", false, 1]);
    },
  ],
  "restart-replaces-every-replica": [
    "`restart` gives new replicas of the same release, as many as before, and none of the old.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"), { scale: { replicas: 2 } });
      const before = await web.ids();
      await bench.provider.restart(web.again(release), bench.context());
      const after = await web.ids();
      assert.equal(after.length, 2);
      assert.deepEqual(
        after.filter((each) => before.includes(each)),
        [],
      );
      assert.equal(await web.versions(), "one one");
    },
  ],
  "restart-serves-when-returned": [
    "When `restart` returns its replicas answer, also if they take a while to.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one", { readyMs: 200 }));
      await bench.provider.restart(web.again(release), bench.context());
      assert.equal(await web.answers(), "one");
    },
  ],
  "deploy-after-stop-serves": [
    "A deploy of what was stopped serves again.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await web.stop();
      await web.up(serves("two"));
      assert.equal(await web.answers(), "two");
      assert.equal((await web.status()).stopped, false);
    },
  ],
  "a-removed-replica-comes-back": [
    "A deploy of the same release brings back a replica that somebody removed by hand, and leaves the others.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"), { scale: { replicas: 2 } });
      const [gone, kept] = await web.running();
      assert.ok(gone !== undefined && kept !== undefined);
      await bench.harness.remove(gone);
      await web.deploy(release);
      assert.equal(await web.versions(), "one one");
      assert.ok((await web.ids()).includes(kept.id), "the other replica was replaced");
    },
  ],
  "a-dead-replica-is-told": [
    "After a replica died `status` says serving only if one runs in its place.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const replica = await web.replica();
      await bench.harness.kill(replica);
      await eventually("the death is told, or made good", async () => {
        const { state, restarts } = await web.status();
        if (state !== "serving") return true;
        const running = await web.running();
        const isAnother = running.some((each) => each.id !== replica.id || each.starts > replica.starts);
        return isAnother || restarts > 0 ? true : undefined;
      });
    },
  ],
  "close-ends-nothing": [
    "What a provider deployed goes on when the provider is closed.",
    async (bench) => {
      const web = await bench.service();
      const other = bench.harness.connect();
      const release = await web.release(serves("one"));
      await other.deploy(web.request(release), bench.context());
      await other.close();
      web.serving = release;
      assert.equal(await web.answers(), "one");
    },
  ],
  "another-provider-sees-the-same": [
    "A provider that deployed nothing tells the same status as the one that did.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      const other = bench.harness.connect();
      const { settled, revisions, state } = await other.status({ instance: web.instance }, bench.context());
      await other.close();
      const mine = await web.status();
      assert.deepEqual(
        { settled, revisions, state },
        { settled: mine.settled, revisions: mine.revisions, state: mine.state },
      );
    },
  ],
  "stop-again-succeeds": [
    "`stop` of what is stopped succeeds.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await web.stop();
      const { state } = await bench.provider.stop({ instance: web.instance, ...ending }, bench.context());
      assert.equal(state, "stopped");
    },
  ],
});
