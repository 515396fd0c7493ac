import assert from "node:assert/strict";
import { instanceLabels, type Remains, type VolumeSpec } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { rejects } from "../expect.ts";
import { serves } from "../spec.ts";

const dataOf = (bench: Bench): VolumeSpec => ({ path: bench.harness.mountPath ?? "data", readOnly: false });
const sharedOf = (bench: Bench): VolumeSpec => ({ ...dataOf(bench), name: "shared" });
const kept = "what was written";

async function remainsOf(bench: Bench): Promise<readonly Remains[]> {
  const { instances, remains = [] } = await bench.provider.list({ stack: bench.stack }, bench.context());
  const there = new Set(instances.map((each) => each.name));
  assert.ok(!remains.some((each) => there.has(each.name)), "what is there is not removed");
  return remains;
}

export const volumes = group("volumes", ["provision", "deploy", "volumes"], {
  "provision-makes-them": [
    "After `provision` the volumes that it names exist, before anything runs.",
    async (bench) => {
      const web = await bench.service();
      const { spec } = await web.release(serves("one"), { volumes: [dataOf(bench)] });
      const { volumes: names } = await bench.provider.provision({ instance: web.instance, spec }, bench.context());
      assert.equal(names.length, 1);
      for (const name of names) assert.equal(await bench.harness.readVolume(name), "");
    },
  ],
  "status-names-them": [
    "`status` names the volumes that exist.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { volumes: [dataOf(bench)] });
      const { volumes: names } = await web.status();
      assert.equal(names.length, 1);
      for (const name of names) assert.equal(await bench.harness.readVolume(name), "");
    },
  ],
  "data-outlives-a-release": [
    "What is in a volume is there after the next release.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { volumes: [dataOf(bench)] });
      const [name = ""] = (await web.status()).volumes;
      await bench.harness.writeVolume(name, kept);
      await web.up(serves("two"), { volumes: [dataOf(bench)] });
      assert.deepEqual((await web.status()).volumes, [name]);
      assert.equal(await bench.harness.readVolume(name), kept);
    },
  ],
  "data-outlives-a-stop": [
    "What is in a volume is there after `stop` and `start`.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"), { volumes: [dataOf(bench)] });
      const [name = ""] = (await web.status()).volumes;
      await bench.harness.writeVolume(name, kept);
      await web.stop();
      await bench.provider.start(web.again(release), bench.context());
      assert.equal(await bench.harness.readVolume(name), kept);
    },
  ],
  "data-outlives-a-removal": [
    "`deprovision` leaves volumes and their data, and the next deploy has them again.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { volumes: [dataOf(bench)] });
      const [name = ""] = (await web.status()).volumes;
      await bench.harness.writeVolume(name, kept);
      await web.deprovision();
      assert.equal(await bench.harness.readVolume(name), kept);
      web.serving = undefined;
      await web.up(serves("two"), { volumes: [dataOf(bench)] });
      assert.deepEqual((await web.status()).volumes, [name]);
      assert.equal(await bench.harness.readVolume(name), kept);
    },
  ],
  "they-go-when-asked-to": [
    "`deprovision` with `volumes` removes them.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { volumes: [dataOf(bench)] });
      const [name = ""] = (await web.status()).volumes;
      await web.deprovision(true);
      assert.equal(await bench.harness.readVolume(name), undefined);
    },
  ],
  "list-tells-what-a-removal-left": [
    "`list` tells the volumes that a removed instance left, until it is there again.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { volumes: [dataOf(bench)] });
      const { volumes: names } = await web.status();
      assert.equal(names.length, 1);
      assert.deepEqual(await remainsOf(bench), []);
      await web.deprovision();
      const { name, stack, service } = web.instance;
      const [left, ...more] = await remainsOf(bench);
      assert.deepEqual(more, []);
      assert.partialDeepStrictEqual(left, {
        name,
        stack,
        service,
        volumes: names,
        labels: instanceLabels(web.instance),
      });
      web.serving = undefined;
      await web.up(serves("two"), { volumes: [dataOf(bench)] });
      assert.deepEqual(await remainsOf(bench), []);
    },
  ],
  "what-a-removal-left-goes-later": [
    "`deprovision` with `volumes` removes what one without them left.",
    async (bench) => {
      const [web, api] = [await bench.service(), await bench.service("api")];
      for (const each of [web, api]) await each.up(serves("one"), { volumes: [sharedOf(bench)] });
      const [name = ""] = (await web.status()).volumes;
      await web.deprovision();
      await web.deprovision(true);
      assert.equal(await bench.harness.readVolume(name), "", "the other one uses it");
      await api.deprovision();
      for (const each of [web, api]) await each.deprovision(true);
      assert.equal(await bench.harness.readVolume(name), undefined);
      assert.deepEqual(await remainsOf(bench), []);
    },
  ],
  "each-replica-has-its-own": [
    "An unnamed volume is one a replica.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { volumes: [dataOf(bench)], scale: { replicas: 2 } });
      const { volumes: names } = await web.status();
      assert.equal(new Set(names).size, 2);
    },
  ],
  "a-named-one-is-shared": [
    "A named volume is one for all replicas and services of a stack.",
    async (bench) => {
      const [web, api] = [await bench.service(), await bench.service("api")];
      await web.up(serves("one"), { volumes: [sharedOf(bench)], scale: { replicas: 2 } });
      await api.up(serves("one"), { volumes: [sharedOf(bench)] });
      const names = new Set([...(await web.status()).volumes, ...(await api.status()).volumes]);
      assert.equal(names.size, 1);
    },
  ],
  "a-named-one-in-use-stays": [
    "A named volume that another service uses stays, also when volumes are to go.",
    async (bench) => {
      const [web, api] = [await bench.service(), await bench.service("api")];
      await web.up(serves("one"), { volumes: [sharedOf(bench)] });
      await api.up(serves("one"), { volumes: [sharedOf(bench)] });
      const [name = ""] = (await web.status()).volumes;
      await bench.harness.writeVolume(name, kept);
      await web.deprovision(true);
      assert.equal(await bench.harness.readVolume(name), kept);
      assert.equal(await api.answers(), "one");
    },
  ],
  "an-external-one-has-to-exist": [
    "An external volume that does not exist is `NOT_FOUND`, and is not made.",
    async (bench) => {
      const web = await bench.service();
      const external = bench.volume("elsewhere");
      const spec = web.spec(serves("one"), { volumes: [{ ...dataOf(bench), external }] });
      web.requireAccepted(spec);
      await rejects(bench.provider.provision({ instance: web.instance, spec }, bench.context()), "NOT_FOUND");
      assert.equal(await bench.harness.readVolume(external), undefined);
    },
  ],
  "an-external-one-is-never-removed": [
    "An external volume stays, also when volumes are to go.",
    async (bench) => {
      const web = await bench.service();
      const external = bench.volume("elsewhere");
      await bench.harness.writeVolume(external, kept);
      await web.up(serves("one"), { volumes: [{ ...dataOf(bench), external }] });
      await web.deprovision(true);
      assert.equal(await bench.harness.readVolume(external), kept);
    },
  ],
});
