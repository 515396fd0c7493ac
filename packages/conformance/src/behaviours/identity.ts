import assert from "node:assert/strict";
import { capabilityNames, instanceLabels, label, replicaLabels } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import { serves } from "../spec.ts";

export const identity = group("identity", ["deploy"], {
  "info-names-its-type": [
    "`info` says the same type as the provider itself.",
    async (bench) => {
      const { provider } = bench;
      const { type, platformId } = await provider.info(bench.context());
      assert.equal(type, provider.type);
      assert.notEqual(platformId, "");
    },
  ],
  "one-platform-has-one-id": [
    "Two providers of one platform tell one `platformId`, in `info` and in `health`.",
    async (bench) => {
      const other = bench.harness.connect();
      const { platformId } = await bench.provider.info(bench.context());
      assert.equal((await other.info(bench.context())).platformId, platformId);
      assert.equal((await other.health(bench.context())).platformId, platformId);
      await other.close();
    },
  ],
  "capabilities-are-known": [
    "`capabilities` are some of the thirteen, each once, and always the same.",
    async ({ provider }) => {
      const all = provider.capabilities();
      assert.deepEqual([...new Set(all)], all);
      assert.deepEqual(
        all.filter((each) => !capabilityNames.includes(each)),
        [],
      );
      assert.deepEqual(provider.capabilities(), all);
      return Promise.resolve();
    },
  ],
  "health-writes-nothing": [
    "`info` and `health` change nothing of what is deployed.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const before = await bench.writes();
      await bench.provider.info(bench.context());
      await bench.provider.health(bench.context());
      assert.deepEqual(await bench.writes(), before);
    },
  ],
  "instance-carries-our-labels": [
    "What is deployed carries managed-by, stack, service and lineage.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const { labels } = (await web.look()) ?? { labels: {} };
      assert.deepEqual({ ...labels, ...instanceLabels(web.instance) }, labels);
    },
  ],
  "every-replica-carries-its-labels": [
    "Every replica carries the instance's labels, and its revision, generation and ordinal.",
    async (bench) => {
      const web = await bench.service();
      const { revision } = await web.up(serves("one"), { scale: { replicas: 3 } });
      const replicas = await web.running();
      assert.equal(replicas.length, 3);
      for (const { labels } of replicas) {
        const ordinal = Number(labels[label.ordinal]);
        assert.deepEqual({ ...labels, ...replicaLabels(web.instance, { ...revision, ordinal }) }, labels);
      }
    },
  ],
  "ordinals-count-from-one": [
    "Replicas of one revision have the ordinals 1, 2, 3.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 3 } });
      const ordinals = (await web.running()).map((each) => each.labels[label.ordinal]);
      assert.deepEqual(new Set(ordinals), new Set(["1", "2", "3"]));
    },
  ],
  "a-tenant-is-labelled": [
    "What belongs to a tenant carries the tenant's label, on the instance and on its replicas.",
    async (bench) => {
      const web = await bench.service("web", { tenant: "acme" });
      await web.up(serves("one"));
      const seen = await web.look();
      assert.equal(seen?.labels[label.tenant], "acme");
      assert.deepEqual(
        seen.replicas.map((each) => each.labels[label.tenant]),
        ["acme"],
      );
    },
  ],
  "a-restart-raises-the-generation": [
    "After `restart` the replicas carry the next generation.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"));
      await bench.provider.restart(web.again(release), bench.context());
      const { labels } = await web.replica();
      assert.equal(labels[label.generation], "1");
    },
  ],
  "list-tells-labels-as-they-are": [
    "`list` gives the labels that are on the platform, not those that should be.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const labels = { ...instanceLabels(web.instance), [label.service]: "renamed-by-hand" };
      await bench.harness.relabel(web.instance.name, labels);
      const { instances } = await bench.provider.list({ stack: bench.stack }, bench.context());
      assert.equal(instances[0]?.labels[label.service], "renamed-by-hand");
    },
  ],
});
