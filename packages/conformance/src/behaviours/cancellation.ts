import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import { eventually, rejects } from "../expect.ts";
import { rolling, serves } from "../spec.ts";

export const cancellation = group("cancellation", ["deploy"], {
  "before-it-begins": [
    "A deploy whose signal has aborted throws `CANCELLED`, and changes nothing.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const two = await web.release(serves("two"));
      const before = await bench.writes();
      await rejects(web.deploy(two, {}, { signal: AbortSignal.abort() }), "CANCELLED");
      assert.deepEqual(await bench.writes(), before);
      assert.equal(await web.answers(), "one");
    },
  ],
  "ends-a-wait": [
    "A deploy that waits for a program to get ready ends when its signal aborts.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release({ kind: "deaf", version: "one" });
      const cancel = new AbortController();
      const refused = rejects(web.deploy(release, {}, { signal: cancel.signal }), "CANCELLED");
      await eventually("a replica runs", async () => ((await web.running()).length > 0 ? true : undefined));
      cancel.abort();
      await refused;
    },
  ],
  "takes-nothing-back": [
    "A cancelled deploy decides no way back: what it began is still there for the next call.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { strategy: rolling });
      const two = await web.release({ kind: "deaf", version: "two" }, { strategy: rolling });
      const request = web.request(two);
      const cancel = new AbortController();
      const refused = rejects(bench.provider.deploy(request, bench.context({ signal: cancel.signal })), "CANCELLED");
      await eventually("the new one runs", async () => ((await web.versions()) === "one two" ? true : undefined));
      cancel.abort();
      await refused;
      assert.deepEqual(request.journal.decisions, []);
      assert.equal(await web.versions(), "one two");
      assert.equal(await web.answers(), "one");
    },
  ],
  "of-a-stop-can-be-repeated": [
    "A cancelled `stop`, called again, stops.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const request = { instance: web.instance, signal: "SIGTERM", graceMs: 1_000, drainMs: 0 };
      await rejects(bench.provider.stop(request, bench.context({ signal: AbortSignal.abort() })), "CANCELLED");
      await bench.provider.stop(request, bench.context());
      assert.deepEqual(await web.running(), []);
    },
  ],
  "of-a-removal-can-be-repeated": [
    "A cancelled `deprovision`, called again, leaves nothing.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const request = { instance: web.instance, volumes: false };
      await rejects(bench.provider.deprovision(request, bench.context({ signal: AbortSignal.abort() })), "CANCELLED");
      await bench.provider.deprovision(request, bench.context());
      assert.equal(await web.look(), undefined);
    },
  ],
});
