import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownRecord } from "./known-record.ts";
import type { StoredRecord } from "./volume-records.ts";

const record = (value: string): StoredRecord => ({ name: "shop-web", value, version: `1-${value}`, labels: {} });
const never = (): Promise<StoredRecord | undefined> => Promise.reject(new Error("was asked once more"));

test("a record is read once, also one that is not there", async () => {
  for (const found of [record("one"), undefined]) {
    const known = new KnownRecord();
    assert.equal(await known.read(() => Promise.resolve(found)), found);
    assert.equal(await known.read(never), found);
  }
});

test("what was written is known without a read", async () => {
  const known = new KnownRecord();
  await known.write(() => Promise.resolve(record("one")));
  assert.deepEqual(await known.read(never), record("one"));
});

test("after a write that lost or failed the record is read again", async () => {
  const known = new KnownRecord();
  await known.read(() => Promise.resolve(record("one")));
  await known.write(() => Promise.resolve(undefined));
  assert.deepEqual(await known.read(() => Promise.resolve(record("two"))), record("two"));
  await assert.rejects(known.write(() => Promise.reject(new Error("no answer"))));
  assert.deepEqual(await known.read(() => Promise.resolve(record("three"))), record("three"));
});

test("an answer that crossed a write does not take its place", async () => {
  const { promise: late, resolve: answer } = Promise.withResolvers<StoredRecord>();
  const { promise: written, resolve: finish } = Promise.withResolvers<StoredRecord>();
  const known = new KnownRecord();
  const before = known.read(() => late);
  const writing = known.write(() => written);
  const during = known.read(() => late);
  finish(record("new"));
  await writing;
  answer(record("old"));
  assert.deepEqual([await before, await during], [record("old"), record("old")]);
  assert.deepEqual(await known.read(never), record("new"));
});
