import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError, sha256 } from "@ctrlplane/core/provider";
import { below } from "./volume-records.ts";
import { recordsOf, Volumes } from "./volumes.test.support.ts";

const { signal } = new AbortController();
const call = { signal, check: () => Promise.resolve() };

test("a record is made once, changed by who knows its version, and removed", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  const text = "line\n'$(x)\" ü 🚀".repeat(1000);
  const first = await records.create("stacks/shop/lease", text, {}, call);
  assert.ok(first !== undefined);
  assert.equal(await records.create("stacks/shop/lease", "another", {}, call), undefined);
  assert.equal((await records.read("stacks/shop/lease", signal))?.value, text);
  const second = await records.swap("stacks/shop/lease", "two", first, {}, call);
  assert.ok(second !== undefined && second !== first);
  assert.equal(await records.swap("stacks/shop/lease", "stale", first, {}, call), undefined);
  assert.equal((await records.read("stacks/shop/lease", signal))?.value, "two");
  assert.equal(volumes.all.size, 1);
  assert.equal(await records.remove("stacks/shop/lease", first, call), false);
  assert.equal(await records.remove("stacks/shop/lease", second, call), true);
  assert.equal(await records.read("stacks/shop/lease", signal), undefined);
  assert.equal(await records.remove("stacks/shop/lease", second, call), true);
});

test("a writer that slept while the record was removed and made anew changes nothing", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  const old = await records.create("a", "old", {}, call);
  await records.remove("a", undefined, call);
  await records.create("a", "new", {}, call);
  assert.equal(await records.swap("a", "from the past", old ?? "", {}, call), undefined);
  assert.equal((await records.read("a", signal))?.value, "new");
  assert.equal(volumes.all.size, 1);
});

test("of two that change it at a time one wins", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  const version = (await records.create("a", "0", {}, call)) ?? "";
  const won = await Promise.all(["1", "2", "3"].map((value) => records.swap("a", value, version, {}, call)));
  assert.equal(won.filter((each) => each !== undefined).length, 1);
  assert.equal((await records.read("a", signal))?.value, String(won.findIndex((each) => each !== undefined) + 1));
});

test("what a writer left that died half-way is the record, and the next one clears the rest away", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  const version = (await records.create("a", "0", {}, call)) ?? "";
  volumes.before = ({ method }) => (method === "DELETE" ? Promise.reject(new Error("killed")) : Promise.resolve());
  await assert.rejects(records.swap("a", "1", version, {}, call), /killed/);
  volumes.before = () => Promise.resolve();
  const found = await records.read("a", signal);
  assert.deepEqual([found?.value, found?.isDoubled], ["1", true]);
  await records.swap("a", "2", found?.version ?? "", {}, call);
  assert.equal(volumes.all.size, 1);
  assert.equal((await records.read("a", signal))?.isDoubled, undefined);
});

test("records are listed by the folder that they lie in", async () => {
  const records = recordsOf(new Volumes());
  for (const name of ["s/shop/b", "s/shop/a/1", "s/blog/a"]) await records.create(name, name, {}, call);
  const names = async (folder: string) => (await records.list([below(folder)], signal)).map((each) => each.name);
  assert.deepEqual(await names("s/shop"), ["s/shop/a/1", "s/shop/b"]);
  assert.deepEqual(await names("s"), ["s/blog/a", "s/shop/a/1", "s/shop/b"]);
});

test("nothing is written once the lease is lost, and what others made is no record", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  const lost = { signal, check: () => assert.fail("lost") };
  await assert.rejects(records.create("a", "0", {}, lost), /lost/);
  assert.equal(volumes.all.size, 0);
  volumes.all.set("pctl-ledger-strange.1", { "pctl-role": "ledger", "pctl-record": "a" });
  await assert.rejects(records.read("a", signal), (error) => isCtrlPlaneError(error) && error.code === "INVALID");
});

test("the number of a volume that an engine left without labels is spent, and goes with the next version", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  const first = `pctl-ledger-${sha256("a").slice(0, 32)}`;
  volumes.all.set(`${first}.1`, {});
  volumes.all.set(`${first}.2`, null);
  const made = await records.create("a", "one", {}, call);
  assert.deepEqual([...volumes.all.keys()], [`${first}.3`]);
  volumes.all.set(`${first}.4`, null);
  assert.equal(await recordsOf(volumes).create("a", "another", {}, call), undefined);
  const next = await records.swap("a", "two", made ?? "", {}, call);
  assert.deepEqual([...volumes.all.keys()], [`${first}.5`]);
  assert.equal(await recordsOf(volumes).swap("a", "stale", made ?? "", {}, call), undefined);
  assert.equal((await records.read("a", signal))?.version, next);
  volumes.all.set(`${first}.6`, { owner: "somebody" });
  await assert.rejects(
    records.swap("a", "three", next ?? "", {}, call),
    (error) => isCtrlPlaneError(error) && error.code === "INVALID",
  );
});

test("who knows that a version was alone asks for nothing but that one", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  let version = (await records.create("a", "0", {}, call)) ?? "";
  const asked: string[] = [];
  volumes.before = async ({ method, path }) => void asked.push(`${method} ${path.replace(/[^/]*(?=\.\d+$)/, "a")}`);
  version = (await records.swap("a", "1", version, {}, call)) ?? "";
  assert.deepEqual(asked.splice(0), ["POST /volumes/create", "GET /volumes/a.1", "DELETE /volumes/a.1"]);
  const other = recordsOf(volumes);
  await other.swap("a", "2", version, {}, call);
  assert.deepEqual(asked.splice(0), ["POST /volumes/create", "GET /volumes", "DELETE /volumes/a.2"]);
  assert.equal(await records.swap("a", "stale", version, {}, call), undefined);
  assert.equal(await records.remove("a", version, call), false);
  asked.splice(0);
  const last = (await other.read("a", signal))?.version;
  assert.equal(await other.remove("a", last, call), true);
  const byName = ["GET /volumes", "GET /volumes/a.3", "DELETE /volumes/a.3", "GET /volumes/a.4"];
  assert.deepEqual(asked.splice(0), byName);
  await other.create("a", "0", {}, call, { isFirst: true });
  assert.deepEqual(asked, ["POST /volumes/create"]);
});

test("a record that is replaced just as it is removed stays, and the remover is told", async () => {
  const volumes = new Volumes();
  const [one, two] = [recordsOf(volumes), recordsOf(volumes)];
  const version = (await one.create("a", "0", {}, call)) ?? "";
  await two.read("a", signal);
  let swapped: string | undefined;
  volumes.before = async ({ method }) => {
    if (method !== "DELETE") return;
    volumes.before = () => Promise.resolve();
    // It has seen that the version is there, and not removed it yet.
    swapped = await two.swap("a", "1", version, {}, call);
  };
  assert.equal(await one.remove("a", version, call), false);
  assert.equal((await one.read("a", signal))?.version, swapped);
});
