import assert from "node:assert/strict";
import { newId } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import { eventually, rejects } from "../expect.ts";
import { rolling, serves } from "../spec.ts";

export const idempotence = group("idempotence", ["provision", "deploy"], {
  "deploy-again-replaces-nothing": [
    "The same deploy again leaves every replica as it is.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one"), { scale: { replicas: 2 } });
      const request = web.request(release);
      await bench.provider.deploy(request, bench.context());
      const before = await web.running();
      await bench.provider.deploy(request, bench.context());
      assert.deepEqual(await web.ids(), before.map((each) => each.id).toSorted());
      assert.deepEqual(
        (await web.running()).map((each) => each.starts),
        before.map((each) => each.starts),
      );
    },
  ],
  "another-deployment-of-it-replaces-nothing": [
    "A new deployment of the release that serves leaves every replica as it is.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"), { scale: { replicas: 2 } });
      const before = await web.ids();
      await web.deploy(release);
      assert.deepEqual(await web.ids(), before);
    },
  ],
  "another-provider-finishes-the-same": [
    "A provider that has seen nothing repeats a deploy without making one replica more.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one"), { scale: { replicas: 2 } });
      const request = web.request(release);
      await bench.provider.deploy(request, bench.context());
      const before = await web.ids();
      const other = bench.harness.connect();
      await other.deploy(request, bench.context());
      await other.close();
      assert.deepEqual(await web.ids(), before);
    },
  ],
  "a-cancelled-deploy-goes-on": [
    "A deploy that was cancelled on its way ends, called again, with exactly its replicas.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one", { readyMs: 3_000 }), { scale: { replicas: 2 } });
      const request = web.request(release);
      const cancel = new AbortController();
      const first = bench.provider.deploy(request, bench.context({ signal: cancel.signal }));
      const refused = rejects(first, "CANCELLED");
      await eventually("a replica runs", async () => ((await web.running()).length > 0 ? true : undefined));
      cancel.abort();
      await refused;
      await bench.provider.deploy(request, bench.context());
      assert.equal(await web.versions(), "one one");
      assert.equal((await web.look())?.replicas.length, 2, "replicas that are left over");
    },
  ],
  "provision-again-changes-nothing": [
    "`provision` again gives the same answer, and leaves what runs.",
    async (bench) => {
      const web = await bench.service();
      const { spec } = await web.up(serves("one"));
      const before = await web.ids();
      const request = { instance: web.instance, spec };
      const first = await bench.provider.provision(request, bench.context());
      assert.deepEqual(await bench.provider.provision(request, bench.context()), first);
      assert.deepEqual(await web.ids(), before);
    },
  ],
  "build-again-gives-the-same": [
    "`buildImage` again gives the same pinned image.",
    async (bench) => {
      const web = await bench.service();
      const { spec, image } = await web.release(serves("one"));
      const request = { instance: web.instance, spec, image };
      const built = await bench.provider.buildImage(request, bench.context());
      assert.deepEqual(await bench.provider.buildImage(request, bench.context()), built);
    },
  ],
  "an-image-is-pinned-alike": [
    "`identifyImage` gives one digest for one content, and another for another.",
    async (bench) => {
      const [web, api] = [await bench.service(), await bench.service("api")];
      const one = await web.release(serves("one"));
      assert.equal((await api.release(serves("one"))).image.digest, one.image.digest);
      assert.notEqual((await web.release(serves("two"))).image.digest, one.image.digest);
    },
  ],
  "deprovision-again-succeeds": [
    "`deprovision` of what was removed succeeds.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await web.deprovision();
      await web.deprovision();
      assert.equal(await web.look(), undefined);
    },
  ],
  "start-again-starts-no-second": [
    "`start` of what serves makes no replica, and starts none again.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"), { scale: { replicas: 2 } });
      const before = await web.running();
      await bench.provider.start(web.again(release), bench.context());
      assert.deepEqual(await web.running(), before);
    },
  ],
  "one-restart-is-one": [
    "`restart` again with the same deployment replaces nothing a second time.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.up(serves("one"));
      const request = web.again(release);
      await bench.provider.restart(request, bench.context());
      const after = await web.ids();
      await bench.provider.restart(request, bench.context());
      assert.deepEqual(await web.ids(), after);
    },
  ],
  "rollback-again-replaces-nothing": [
    "`rollback` to what serves by now replaces nothing.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"));
      const two = await web.up(serves("two"));
      const deployment = newId("dep");
      await web.rollback(one, { previous: two, deployment });
      const after = await web.ids();
      await web.rollback(one, { previous: two, deployment });
      assert.deepEqual(await web.ids(), after);
    },
  ],
  "two-deploys-at-once-make-no-double": [
    "The same deploy twice at a time ends with exactly its replicas.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one"), { scale: { replicas: 2 }, strategy: rolling });
      const request = web.request(release);
      const other = bench.harness.connect();
      await Promise.allSettled([
        bench.provider.deploy(request, bench.context()),
        other.deploy(request, bench.context()),
      ]);
      await other.close();
      await bench.provider.deploy(request, bench.context());
      assert.equal(await web.versions(), "one one");
      assert.equal((await web.look())?.replicas.length, 2);
    },
  ],
});
