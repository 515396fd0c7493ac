import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import { rejects } from "../expect.ts";
import { ends, serves } from "../spec.ts";

export const rollback = group("rollback", ["deploy"], {
  "brings-the-program-back": [
    "After `rollback` the older program answers, and nothing of the newer runs.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"));
      await web.up(serves("two"));
      const { state } = await web.rollback(one);
      assert.equal(state, "serving");
      assert.equal(await web.answers(), "one");
      assert.equal(await web.versions(), "one");
    },
  ],
  "brings-the-environment-back": [
    "After `rollback` the program has the environment of then.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"), { env: { MODE: "then" } });
      await web.up(serves("one"), { env: { MODE: "now", ADDED: "1" } });
      await web.rollback(one);
      const env = (await web.ask())?.env ?? {};
      assert.deepEqual([env["MODE"], env["ADDED"]], ["then", undefined]);
    },
  ],
  "brings-the-count-back": [
    "After `rollback` as many replicas run as were asked for.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"), { scale: { replicas: 3 } });
      await web.up(serves("two"), { scale: { replicas: 1 } });
      await web.rollback(one);
      assert.equal(await web.versions(), "one one one");
    },
  ],
  "brings-the-address-back": [
    "After `rollback` it answers at the address of then, and at the newer one no more.",
    async (bench) => {
      const [web, other] = [await bench.service(), await bench.service("other")];
      const one = await web.up(serves("one"));
      const { ports } = other.spec(serves("two"));
      const two = await web.up(serves("two"), { ports });
      await web.rollback(one);
      assert.equal((await web.ask(one.spec))?.version, "one");
      if (web.url(two.spec) !== web.url(one.spec)) assert.equal(await web.ask(two.spec), undefined);
    },
  ],
  "is-on-record": [
    "After `rollback` the older release is on record as what serves.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"));
      await web.up(serves("two"));
      await web.rollback(one);
      const { settled } = await web.status();
      assert.deepEqual([settled?.releaseId, settled?.number], [one.id, 1]);
    },
  ],
  "one-that-fails-leaves-the-newer": [
    "A `rollback` to what does not work fails, and the newer release serves.",
    async (bench) => {
      const web = await bench.service();
      const broken = await web.release(ends("one", 1));
      await web.up(serves("two"));
      await rejects(web.rollback(broken), "FAILED");
      assert.equal(await web.answers(), "two");
      assert.equal(await web.versions(), "two");
    },
  ],
});
