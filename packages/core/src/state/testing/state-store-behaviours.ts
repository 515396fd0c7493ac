import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { isCtrlPlaneError } from "../../errors/error.ts";
import type { StateDocument, StateStore } from "../store.ts";

/** Two handles on one empty store, as two processes have them, and how to end it. */
export interface StateStoreUnderTest {
  readonly one: StateStore;
  readonly other: StateStore;
  end(): Promise<void>;
}

export function sampleDocument(serial: number, more: Partial<StateDocument> = {}): StateDocument {
  const labels = { "managed-by": "pctl", "pctl-stack": "shop", "pctl-service": "shop-web" };
  const entry = {
    provider: "local",
    image: "./web",
    labels,
    hasPorts: true,
    release: serial,
    "x-unknown": { deep: [1, null] },
  };
  return { serial, lineage: "lin_1", entries: { "shop-web": entry }, ...more };
}

/** What every state store promises (`StateStore`), as tests. */
export function stateStoreBehaviours(title: string, make: () => Promise<StateStoreUnderTest>): void {
  describe(`${title} is a state store`, () => {
    const ends: (() => Promise<void>)[] = [];
    const made = async (): Promise<StateStoreUnderTest> => {
      const store = await make();
      ends.push(() => store.end());
      return store;
    };
    after(async () => {
      for (const end of ends) await end();
    });

    it("reads nothing where nothing was written", async () => {
      const { one } = await made();
      assert.equal(await one.read("shop"), undefined);
      assert.deepEqual(await one.list(), []);
      assert.equal(await one.setAside("shop"), undefined);
    });

    it("gives back what was written, unknown fields included, to others too", async () => {
      const { one, other } = await made();
      await one.write("shop", sampleDocument(1), undefined);
      assert.deepEqual(await other.read("shop"), sampleDocument(1));
      await other.write("shop", sampleDocument(2), 1);
      assert.deepEqual(await one.read("shop"), sampleDocument(2));
    });

    it("keeps each stack for itself", async () => {
      const { one } = await made();
      await one.write("shop", sampleDocument(1), undefined);
      await one.write("shop-staging", sampleDocument(7), undefined);
      assert.equal((await one.read("shop"))?.serial, 1);
      assert.deepEqual(await one.list(), ["shop", "shop-staging"]);
    });

    it("refuses to replace what somebody else wrote", async () => {
      const { one, other } = await made();
      await one.write("shop", sampleDocument(1), undefined);
      await assert.rejects(other.write("shop", sampleDocument(1, { lineage: "lin_2" }), undefined), {
        code: "CONFLICT",
      });
      await one.write("shop", sampleDocument(2), 1);
      await assert.rejects(other.write("shop", sampleDocument(2, { lineage: "lin_2" }), 1), { code: "CONFLICT" });
      await assert.rejects(other.write("blog", sampleDocument(2), 1), { code: "CONFLICT" });
      assert.deepEqual(await other.read("shop"), sampleDocument(2));
      assert.equal(await other.read("blog"), undefined);
    });

    it("refuses a serial that does not rise", async () => {
      const { one } = await made();
      await one.write("shop", sampleDocument(5), undefined);
      await assert.rejects(one.write("shop", sampleDocument(5), 5), { code: "INTERNAL" });
    });

    it("lets exactly one of many win who write at one time", async () => {
      const { one, other } = await made();
      await one.write("shop", sampleDocument(1), undefined);
      const attempts = Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? one : other).write("shop", sampleDocument(2, { lineage: `lin_${index}` }), 1),
      );
      const settled = await Promise.allSettled(attempts);
      const winners = settled.flatMap((each, index) => (each.status === "fulfilled" ? [`lin_${index}`] : []));
      assert.equal(winners.length, 1);
      assert.equal((await one.read("shop"))?.lineage, winners[0]);
      for (const each of settled) {
        if (each.status === "rejected")
          assert.ok(isCtrlPlaneError(each.reason) && each.reason.code === "CONFLICT", String(each.reason));
      }
    });

    it("is not changed through an object that it gave or was given", async () => {
      const { one } = await made();
      const entries: Record<string, { provider: string }> = { "shop-web": { provider: "local" } };
      await one.write("shop", sampleDocument(1, { entries }), undefined);
      entries["shop-db"] = { provider: "local" };
      assert.deepEqual(Object.keys((await one.read("shop"))?.entries ?? {}), ["shop-web"]);
    });

    it("moves a document away, after which there is none", async () => {
      const { one, other } = await made();
      await one.write("shop", sampleDocument(3), undefined);
      assert.notEqual(await one.setAside("shop"), undefined);
      assert.equal(await other.read("shop"), undefined);
      assert.deepEqual(await other.list(), []);
      await other.write("shop", sampleDocument(1), undefined);
    });
  });
}
