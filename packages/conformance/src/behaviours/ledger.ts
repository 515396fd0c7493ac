import assert from "node:assert/strict";
import type { Ledger } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { rejects } from "../expect.ts";
import { Refused } from "../refused.ts";
import { serves } from "../spec.ts";

/** Two handles on the ledger; a provider may have none. */
const onLedger =
  (steps: (of: { one: Ledger; other: Ledger; name: (words: string) => string; bench: Bench }) => Promise<void>) =>
  async (bench: Bench): Promise<void> => {
    const apart = bench.harness.connect();
    const [one, other] = [bench.provider.ledger, apart.ledger];
    if (one === undefined || other === undefined) throw new Refused("it has no ledger");
    const prefix = `conformance/${bench.stack}`;
    try {
      await steps({ one, other, bench, name: (words) => `${prefix}/${words}` });
    } finally {
      for (const name of await one.list(`${prefix}/`, bench.context()))
        await one.remove(name, undefined, bench.context());
      await apart.close();
    }
  };

export const ledger = group("ledger", [], {
  "nothing-is-nothing": [
    "What was not written is not there, and its removal succeeds.",
    onLedger(async ({ one, name, bench }) => {
      assert.equal(await one.read(name("a"), bench.context()), undefined);
      await one.remove(name("a"), undefined, bench.context());
    }),
  ],
  "gives-back-byte-for-byte": [
    "A record is read as it was written, by others too.",
    onLedger(async ({ one, other, name, bench }) => {
      const value = 'line\nline\t"quoted" $HOME `x` \\ ünï 🚀 ';
      const version = await one.create(name("a.b_c-D/1"), value, bench.context());
      assert.deepEqual(await other.read(name("a.b_c-D/1"), bench.context()), { value, version });
    }),
  ],
  "holds-an-empty-value": [
    "An empty record is there.",
    onLedger(async ({ one, name, bench }) => {
      const version = await one.create(name("empty"), "", bench.context());
      assert.deepEqual(await one.read(name("empty"), bench.context()), { value: "", version });
    }),
  ],
  "holds-256-kib": [
    "A record of 256 KiB is read whole.",
    onLedger(async ({ one, other, name, bench }) => {
      const value = "0123456789abcdef".repeat(16_384);
      await one.create(name("large"), value, bench.context());
      assert.equal((await other.read(name("large"), bench.context()))?.value, value);
    }),
  ],
  "a-name-is-made-once": [
    "`create` of what exists is a conflict, and leaves it.",
    onLedger(async ({ one, other, name, bench }) => {
      await one.create(name("a"), "first", bench.context());
      await rejects(other.create(name("a"), "second", bench.context()), "CONFLICT");
      assert.equal((await one.read(name("a"), bench.context()))?.value, "first");
    }),
  ],
  "one-of-many-makes-it": [
    "Of ten that create one name at once, one succeeds.",
    onLedger(async ({ one, other, name, bench }) => {
      const attempts = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? one : other).create(name("a"), `of ${index}`, bench.context()),
      );
      const made = (await Promise.allSettled(attempts)).flatMap((each, index) =>
        each.status === "fulfilled" ? [index] : [],
      );
      assert.equal(made.length, 1);
      assert.equal((await one.read(name("a"), bench.context()))?.value, `of ${made[0]}`);
    }),
  ],
  "a-swap-needs-the-version": [
    "`swap` replaces the version that it names, and gives a new one.",
    onLedger(async ({ one, other, name, bench }) => {
      const first = await one.create(name("a"), "first", bench.context());
      const second = await other.swap(name("a"), "second", first, bench.context());
      assert.notEqual(second, first);
      assert.deepEqual(await one.read(name("a"), bench.context()), { value: "second", version: second });
    }),
  ],
  "a-swap-of-an-old-version-is-refused": [
    "`swap` of a version that was replaced is a conflict, also where the value is the same.",
    onLedger(async ({ one, name, bench }) => {
      const first = await one.create(name("a"), "same", bench.context());
      await one.swap(name("a"), "same", first, bench.context());
      await rejects(one.swap(name("a"), "third", first, bench.context()), "CONFLICT");
      assert.equal((await one.read(name("a"), bench.context()))?.value, "same");
    }),
  ],
  "a-swap-of-nothing-is-refused": [
    "`swap` of what is not there is a conflict, and makes nothing.",
    onLedger(async ({ one, name, bench }) => {
      const version = await one.create(name("a"), "x", bench.context());
      await one.remove(name("a"), undefined, bench.context());
      await rejects(one.swap(name("a"), "y", version, bench.context()), "CONFLICT");
      assert.equal(await one.read(name("a"), bench.context()), undefined);
    }),
  ],
  "one-of-many-swaps": [
    "Of ten that swap one version at once, one succeeds.",
    onLedger(async ({ one, other, name, bench }) => {
      const version = await one.create(name("a"), "first", bench.context());
      const attempts = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? one : other).swap(name("a"), `of ${index}`, version, bench.context()),
      );
      const done = (await Promise.allSettled(attempts)).flatMap((each, index) =>
        each.status === "fulfilled" ? [index] : [],
      );
      assert.equal(done.length, 1);
      assert.equal((await one.read(name("a"), bench.context()))?.value, `of ${done[0]}`);
    }),
  ],
  "a-removed-record-is-gone": [
    "A removed record is gone, and its name can be made again.",
    onLedger(async ({ one, other, name, bench }) => {
      const version = await one.create(name("a"), "first", bench.context());
      await other.remove(name("a"), version, bench.context());
      assert.equal(await one.read(name("a"), bench.context()), undefined);
      await one.create(name("a"), "again", bench.context());
    }),
  ],
  "an-old-version-is-not-removed": [
    "`remove` of a version that was replaced is a conflict.",
    onLedger(async ({ one, name, bench }) => {
      const first = await one.create(name("a"), "first", bench.context());
      await one.swap(name("a"), "second", first, bench.context());
      await rejects(one.remove(name("a"), first, bench.context()), "CONFLICT");
      assert.equal((await one.read(name("a"), bench.context()))?.value, "second");
    }),
  ],
  "names-are-listed-in-order": [
    "`list` gives the names with a prefix, all of them, by code unit.",
    onLedger(async ({ one, other, name, bench }) => {
      const words = ["b", "a", "a-1", "B", "a/x", "10", "9"];
      for (const word of words) await one.create(name(word), "", bench.context());
      const expected = words.map(name).toSorted((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(await other.list(name(""), bench.context()), expected);
      assert.deepEqual(await other.list(name("a"), bench.context()), [name("a"), name("a-1"), name("a/x")]);
    }),
  ],
  "many-records-are-listed": [
    "Two hundred records are listed, each once.",
    onLedger(async ({ one, name, bench }) => {
      const words = Array.from({ length: 200 }, (_, index) => String(index).padStart(3, "0"));
      await Promise.all(words.map((word) => one.create(name(word), word, bench.context())));
      assert.deepEqual(await one.list(name(""), bench.context()), words.map(name));
    }),
  ],
  "a-name-that-is-none-is-refused": [
    "Names with empty words, dots alone or other letters are `INVALID`.",
    onLedger(async ({ one, name, bench }) => {
      for (const bad of [name(""), `/${name("a")}`, name("a//b"), name("../a"), name("a b"), name("ü")])
        await rejects(one.create(bad, "", bench.context()), "INVALID");
    }),
  ],
  "records-are-no-instances": [
    "Records do not appear in `list` of the provider, and outlive a removal.",
    onLedger(async ({ one, name, bench }) => {
      const web = await bench.service();
      if (bench.provider.capabilities().includes("deploy")) await web.up(serves("one"));
      await one.create(name("a"), "kept", bench.context());
      const { instances } = await bench.provider.list({ stack: bench.stack }, bench.context());
      assert.ok(instances.length <= 1);
      if (bench.provider.capabilities().includes("provision")) await web.deprovision(true);
      assert.equal((await one.read(name("a"), bench.context()))?.value, "kept");
    }),
  ],
});
