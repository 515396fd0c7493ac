import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { isCtrlPlaneError } from "../../errors/error.ts";
import type { Ledger } from "../../provider/ledger.ts";
import { longestRecordBytes, longestRecordName } from "../ledger-limits.ts";
import { testContext } from "./context.ts";

/** Two handles on one empty ledger, as two processes have them, and how to end it. */
export interface LedgerUnderTest {
  readonly one: Ledger;
  readonly other: Ledger;
  end(): Promise<void>;
}

/** What every ledger promises (`Ledger`), as tests. */
export function ledgerBehaviours(title: string, make: () => Promise<LedgerUnderTest>): void {
  describe(`${title} is a ledger`, () => {
    const ends: (() => Promise<void>)[] = [];
    const made = async (): Promise<LedgerUnderTest> => {
      const ledger = await make();
      ends.push(() => ledger.end());
      return ledger;
    };
    after(async () => {
      for (const end of ends) await end();
    });
    const context = testContext();

    it("reads nothing where nothing was written", async () => {
      const { one } = await made();
      assert.equal(await one.read("stacks/shop/lease", context), undefined);
      assert.deepEqual(await one.list("stacks/", context), []);
      await one.remove("stacks/shop/lease", undefined, context);
    });

    it("gives back byte for byte what was created, to others too", async () => {
      const { one, other } = await made();
      const value = 'line\nline\t"quoted" $HOME `x` \u0000 ünï 🚀';
      const version = await one.create("a/b.c_d-E/1", value, context);
      assert.deepEqual(await other.read("a/b.c_d-E/1", context), { value, version });
    });

    it("holds an empty value and the largest one, and refuses a larger", async () => {
      const { one, other } = await made();
      const largest = "x".repeat(longestRecordBytes);
      await one.create("empty", "", context);
      await one.create("largest", largest, context);
      assert.equal((await other.read("empty", context))?.value, "");
      assert.equal((await other.read("largest", context))?.value, largest);
      await assert.rejects(one.create("larger", `${largest}x`, context), hasCode("INVALID"));
    });

    it("refuses names that are none", async () => {
      const { one } = await made();
      const names = ["", "/a", "a/", "a//b", "a/../b", "..", ".", "a b", "a@", "ü", "x".repeat(longestRecordName + 1)];
      for (const name of names) await assert.rejects(one.create(name, "", context), hasCode("INVALID"), name);
      await one.create("x".repeat(longestRecordName), "", context);
    });

    it("creates a name once", async () => {
      const { one, other } = await made();
      await one.create("name", "first", context);
      await assert.rejects(other.create("name", "second", context), hasCode("CONFLICT"));
      assert.equal((await one.read("name", context))?.value, "first");
    });

    it("creates a name once, however many try at one time", async () => {
      const { one, other } = await made();
      const attempts = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? one : other).create("name", String(index), context),
      );
      const settled = await Promise.allSettled(attempts);
      const winners = settled.flatMap((each, index) =>
        each.status === "fulfilled" ? [{ index, version: each.value }] : [],
      );
      assert.equal(winners.length, 1);
      assert.deepEqual(await one.read("name", context), {
        value: String(winners[0]?.index),
        version: winners[0]?.version,
      });
    });

    it("swaps only the version that was seen", async () => {
      const { one, other } = await made();
      const first = await one.create("name", "1", context);
      const second = await other.swap("name", "2", first, context);
      assert.notEqual(first, second);
      await assert.rejects(one.swap("name", "3", first, context), hasCode("CONFLICT"));
      assert.deepEqual(await one.read("name", context), { value: "2", version: second });
      await assert.rejects(one.swap("absent", "1", first, context), hasCode("CONFLICT"));
    });

    it("gives another version for an equal value", async () => {
      const { one } = await made();
      const first = await one.create("name", "same", context);
      const second = await one.swap("name", "same", first, context);
      await assert.rejects(one.swap("name", "same", first, context), hasCode("CONFLICT"));
      await one.swap("name", "same", second, context);
    });

    it("loses no update, however many swap at one time", async () => {
      const { one, other } = await made();
      await one.create("counter", "0", context);
      await Promise.all(Array.from({ length: 8 }, (_, index) => increment(index % 2 === 0 ? one : other, 5)));
      assert.equal((await one.read("counter", context))?.value, "40");
    });

    it("removes, also a certain version alone", async () => {
      const { one, other } = await made();
      const first = await one.create("name", "1", context);
      const second = await one.swap("name", "2", first, context);
      await assert.rejects(other.remove("name", first, context), hasCode("CONFLICT"));
      await other.remove("name", second, context);
      assert.equal(await one.read("name", context), undefined);
      assert.deepEqual(await one.list("", context), []);
      await one.remove("name", undefined, context);
    });

    it("never takes a record made anew for the one that was removed", async () => {
      const { one, other } = await made();
      const first = await one.create("name", "1", context);
      await other.remove("name", undefined, context);
      await assert.rejects(one.swap("name", "2", first, context), hasCode("CONFLICT"));
      assert.equal(await one.read("name", context), undefined);
      const again = await other.create("name", "1", context);
      await assert.rejects(one.swap("name", "2", first, context), hasCode("CONFLICT"));
      await assert.rejects(one.remove("name", first, context), hasCode("CONFLICT"));
      assert.deepEqual(await one.read("name", context), { value: "1", version: again });
    });

    it("lists by prefix, sorted by code unit", async () => {
      const { one, other } = await made();
      const names = ["a/b", "a/B", "a/b/c", "a/b-2", "ab", "b/1"];
      for (const name of names) await one.create(name, name, context);
      assert.deepEqual(await other.list("", context), ["a/B", "a/b", "a/b-2", "a/b/c", "ab", "b/1"]);
      assert.deepEqual(await other.list("a/", context), ["a/B", "a/b", "a/b-2", "a/b/c"]);
      assert.deepEqual(await other.list("a/b", context), ["a/b", "a/b-2", "a/b/c"]);
      assert.deepEqual(await other.list("a/b/", context), ["a/b/c"]);
      assert.deepEqual(await other.list("c", context), []);
    });

    it("writes nothing once the lease is lost", async () => {
      const { one } = await made();
      const version = await one.create("name", "1", context);
      const lost = testContext({
        fence: {
          stack: "shop",
          epoch: 1,
          check: () => {
            throw new Error("lost");
          },
        },
      });
      await assert.rejects(one.create("new", "1", lost), /lost/);
      await assert.rejects(one.swap("name", "2", version, lost), /lost/);
      await assert.rejects(one.remove("name", version, lost), /lost/);
      assert.deepEqual(await one.list("", context), ["name"]);
      assert.deepEqual(await one.read("name", context), { value: "1", version });
    });
  });
}

async function increment(ledger: Ledger, times: number): Promise<void> {
  const context = testContext();
  for (let done = 0; done < times;) {
    const record = await ledger.read("counter", context);
    assert.ok(record !== undefined);
    try {
      await ledger.swap("counter", String(Number(record.value) + 1), record.version, context);
      done += 1;
    } catch (error) {
      if (!hasCode("CONFLICT")(error)) throw error;
    }
  }
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => isCtrlPlaneError(error) && error.code === code;
}
