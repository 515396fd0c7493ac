import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fence } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { sightOf, type LeaseSight } from "./lease-sight.ts";
import type { StoredRecord } from "./volume-records.ts";

const fence = (epoch: number): Fence => ({ stack: "shop", epoch, check: () => Promise.resolve() });
// It is a key alone.
const engine = (): EngineClient => ({}) as unknown as EngineClient;
const record = (value: string): StoredRecord => ({ name: "shop-web", value, version: `1-${value}`, labels: {} });
const never = (): Promise<StoredRecord | undefined> => Promise.reject(new Error("was asked once more"));

function look(sight: LeaseSight, present: readonly string[], owners: readonly string[] = []): void {
  sight.saw({ names: ["web", "db"], present: new Set(present), owners: new Set(owners), stacks: ["shop"] });
}

test("each lease on each engine knows its own, and without one nothing is kept", async () => {
  const [here, first] = [engine(), fence(1)];
  const ask = (at: EngineClient, under: Fence, value: string) =>
    sightOf(at, under)
      .record("shop-web")
      .read(() => Promise.resolve(record(value)));
  await ask(here, first, "one");
  assert.deepEqual(await sightOf(here, first).record("shop-web").read(never), record("one"));
  for (const [at, under] of [
    [here, fence(2)],
    [here, fence(0)],
    [engine(), first],
  ] as const)
    assert.deepEqual(await ask(at, under, "two"), record("two"));
  const none = fence(0);
  await ask(here, none, "one");
  await assert.rejects(sightOf(here, none).record("shop-web").read(never), /asked once more/);
});

test("what a look did not show is new until a later one shows it, and bare until a container is made", () => {
  const sight = sightOf(engine(), fence(1));
  assert.deepEqual([sight.isNew("web"), sight.isBare("web")], [false, false]);
  look(sight, ["db"]);
  assert.deepEqual([sight.isNew("web"), sight.isBare("web")], [true, true]);
  assert.deepEqual([sight.isNew("db"), sight.isBare("db"), sight.isNew("other")], [false, false, false]);
  sight.makesContainer("web");
  assert.deepEqual([sight.isNew("web"), sight.isBare("web")], [true, false]);
  look(sight, ["web", "db"]);
  assert.deepEqual([sight.isNew("web"), sight.isBare("web")], [false, false]);
});

test("an instance is without volumes from the look that showed none until one is made", () => {
  const sight = sightOf(engine(), fence(1));
  assert.equal(sight.hasVolumes("web"), true);
  look(sight, [], ["db"]);
  assert.deepEqual([sight.hasVolumes("web"), sight.hasVolumes("db")], [false, true]);
  sight.makesVolume("web");
  assert.equal(sight.hasVolumes("web"), true);
  assert.deepEqual([sight.hasLedger("shop"), sight.hasLedger("other")], [true, false]);
});
