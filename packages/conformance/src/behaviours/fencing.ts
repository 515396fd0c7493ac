import assert from "node:assert/strict";
import { CtrlPlaneError, newId, type ProviderContext } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { eventually, rejects } from "../expect.ts";
import type { TestJournal } from "../journal.ts";
import { ending, type Service } from "../service.ts";
import { rolling, serves } from "../spec.ts";

/** Under a lease that is another's by now the call must refuse, and no write of it may arrive. */
async function refusesOldLease(
  bench: Bench,
  call: (web: Service, old: ProviderContext, journal: TestJournal) => Promise<unknown>,
): Promise<void> {
  const web = await bench.service();
  await web.up(serves("one"));
  const journal = bench.journal();
  const old = await bench.loseLease();
  const before = await bench.writes();
  const running = await web.running();
  await rejects(call(web, bench.context({ lease: old }), journal), "CONFLICT");
  assert.deepEqual(await bench.writes(), before, "an old holder wrote");
  assert.deepEqual(await web.running(), running);
}

const releaseOf = (web: Service) => {
  assert.ok(web.serving !== undefined);
  return web.serving;
};

export const fencing = group("fencing", ["provision", "deploy"], {
  "an-old-holder-deploys-nothing": [
    "`deploy` under a lost lease is a conflict, and not one write arrives.",
    (bench) =>
      refusesOldLease(bench, async (web, old, journal) => {
        const { spec, image } = releaseOf(web);
        const two = web.pin({ ...spec, env: { NEW: "1" } }, image);
        await bench.provider.deploy(web.request(two, { journal }), old);
      }),
  ],
  "an-old-holder-rolls-nothing-back": [
    "`rollback` under a lost lease is a conflict, and not one write arrives.",
    (bench) =>
      refusesOldLease(bench, async (web, old, journal) => {
        const { spec, image } = releaseOf(web);
        await bench.provider.rollback(web.request(web.pin({ ...spec, env: { OLD: "1" } }, image), { journal }), old);
      }),
  ],
  "an-old-holder-stops-nothing": [
    "`stop` under a lost lease is a conflict, and not one write arrives.",
    (bench) => refusesOldLease(bench, (web, old) => bench.provider.stop({ instance: web.instance, ...ending }, old)),
  ],
  "an-old-holder-restarts-nothing": [
    "`restart` under a lost lease is a conflict, and not one write arrives.",
    (bench) =>
      refusesOldLease(bench, (web, old, journal) =>
        bench.provider.restart({ ...web.again(releaseOf(web)), journal }, old),
      ),
  ],
  "an-old-holder-removes-nothing": [
    "`deprovision` under a lost lease is a conflict, and not one write arrives.",
    (bench) =>
      refusesOldLease(bench, (web, old) => bench.provider.deprovision({ instance: web.instance, volumes: true }, old)),
  ],
  "an-old-holder-provisions-nothing": [
    "`provision` under a lost lease is a conflict, and not one write arrives.",
    (bench) =>
      refusesOldLease(bench, async (_web, old) => {
        const api = await bench.service("api");
        const spec = api.spec(serves("one"));
        await bench.provider.provision({ instance: api.instance, spec }, old);
      }),
  ],
  "a-lease-lost-in-the-middle": [
    "A deploy whose lease is taken while it waits writes nothing after that, and throws a conflict.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { strategy: rolling });
      const two = await web.release(serves("two", { readyMs: 12_000 }), { strategy: rolling });
      const refused = rejects(web.deploy(two, {}, { lease: bench.lease }), "CONFLICT");
      await eventually("the new one runs", async () => ((await web.versions()) === "one two" ? true : undefined));
      await bench.loseLease();
      const before = await bench.writes();
      await refused;
      assert.deepEqual(await bench.writes(), before, "an old holder wrote");
      assert.equal(await web.answers(), "one");
    },
  ],
  "the-new-holder-goes-on": [
    "What an old holder left half done, the new one finishes.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const two = await web.release(serves("two"));
      const request = web.request(two);
      const old = await bench.loseLease();
      await rejects(bench.provider.deploy(request, bench.context({ lease: old })), "CONFLICT");
      const journal = bench.journal(request.journal.decisions);
      await bench.provider.deploy({ ...request, journal }, bench.context());
      assert.equal(await web.versions(), "two");
    },
  ],
  "a-refused-decision-ends-it": [
    "Where the journal refuses a decision, nothing follows: a failed release is not taken back.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { strategy: rolling });
      const two = await web.release({ kind: "deaf", version: "two" }, { strategy: { ...rolling, timeoutMs: 1_500 } });
      const refusal = new CtrlPlaneError("CONFLICT", "another one decides by now");
      const journal = { ...bench.journal(), decide: () => Promise.reject(refusal) };
      await rejects(web.deploy(two, { journal }), "CONFLICT");
      assert.equal(await web.versions(), "one two");
    },
  ],
});

export const scaleFence = group("fencing", ["provision", "deploy", "scale"], {
  "an-old-holder-scales-nothing": [
    "`scale` under a lost lease is a conflict, and not one write arrives.",
    (bench) =>
      refusesOldLease(bench, (web, old, journal) =>
        bench.provider.scale(
          { instance: web.instance, release: releaseOf(web), replicas: 3, deployment: newId("dep"), journal },
          old,
        ),
      ),
  ],
});
