import assert from "node:assert/strict";
import { newId, type InstanceStatus, type ScaleRequest } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { rejects } from "../expect.ts";
import type { Service } from "../service.ts";
import { serves } from "../spec.ts";

function scaled(bench: Bench, web: Service, change: Partial<ScaleRequest>): Promise<InstanceStatus> {
  assert.ok(web.serving !== undefined);
  const request = { instance: web.instance, release: web.serving, deployment: newId("dep"), journal: bench.journal() };
  return bench.provider.scale({ ...request, ...change }, bench.context());
}

export const scale = group("scale", ["deploy", "scale"], {
  "more-replicas-run-when-returned": [
    "Scaled from 1 to 3, three replicas run and the first is the one that ran.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one", { readyMs: 100 }));
      const before = await web.replica();
      const status = await scaled(bench, web, { replicas: 3 });
      assert.equal(await web.versions(), "one one one");
      assert.ok((await web.ids()).includes(before.id), "the first one was replaced");
      assert.deepEqual(
        status.revisions.map((each) => each.ready),
        [3],
      );
    },
  ],
  "fewer-replicas-run-when-returned": [
    "Scaled from 3 to 1, one of the three runs on, and answers.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 3 } });
      const before = await web.ids();
      await scaled(bench, web, { replicas: 1 });
      const { id } = await web.replica();
      assert.ok(before.includes(id), "it was replaced");
      assert.equal(await web.answers(), "one");
    },
  ],
  "to-none-and-back": [
    "Scaled to 0 nothing runs; scaled up again it answers.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await scaled(bench, web, { replicas: 0 });
      assert.deepEqual(await web.running(), []);
      await scaled(bench, web, { replicas: 2 });
      assert.equal(await web.versions(), "one one");
      assert.equal(await web.answers(), "one");
    },
  ],
  "is-on-record": [
    "Replicas and who scaled are on record on the platform.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const scaledBy = { by: "somebody", at: new Date(0).toISOString(), change: 7 };
      await scaled(bench, web, { replicas: 2, scaledBy });
      const { settled } = await web.status();
      assert.deepEqual([settled?.replicas, settled?.scaledBy], [2, scaledBy]);
    },
  ],
  "again-changes-nothing": [
    "Scaled to what it is, it stays as it is.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      const before = await web.running();
      await scaled(bench, web, { replicas: 2 });
      assert.deepEqual(await web.running(), before);
    },
  ],
  "every-replica-is-routed": [
    "After scaling each replica gets requests.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const { revisions, replicas } = await scaled(bench, web, { replicas: 2 });
      assert.deepEqual(
        replicas.map((each) => each.routed),
        [true, true],
      );
      assert.equal(Math.round(revisions[0]?.weight ?? 0), 100);
    },
  ],
  "a-range-runs-within-it": [
    "A range runs at least its minimum and at most its maximum, and is on record.",
    async (bench) => {
      const web = await bench.service();
      const range = { min: 2, max: 4 };
      await web.up(serves("one"), { scale: { replicas: range }, accept: ["scale.replica"] });
      const running = (await web.running()).length;
      assert.ok(running >= 2 && running <= 4, `${running} run`);
      const status = await web.status();
      assert.deepEqual([status.range, status.settled?.replicas], [range, range]);
    },
  ],
  "other-resources-replace-replicas": [
    "Scaled to other resources every replica is a new one, of another revision.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"), { scale: { replicas: 2 }, accept: ["scale.memory"] });
      const before = await web.ids();
      const limits = { memoryMb: 256 };
      web.requireAccepted({ ...one.spec, scale: { replicas: 2, ...limits } });
      const { settled } = await scaled(bench, web, { resources: limits });
      const after = await web.ids();
      assert.equal(after.length, 2);
      assert.deepEqual(
        after.filter((each) => before.includes(each)),
        [],
      );
      assert.notEqual(settled?.replicaHash, one.revision.replicaHash);
    },
  ],
  "of-nothing-is-not-found": [
    "Scaling what does not exist throws `NOT_FOUND`.",
    async (bench) => {
      const web = await bench.service();
      web.serving = await web.release(serves("one"));
      await web.deprovision(true);
      await rejects(scaled(bench, web, { replicas: 2 }), "NOT_FOUND");
    },
  ],
});
