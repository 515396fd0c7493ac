import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError, type Labels } from "@ctrlplane/core/provider";
import { EngineError, type EngineClient, type EngineRequest } from "@ctrlplane/images";
import { below, VolumeRecords } from "./volume-records.ts";

const { signal } = new AbortController();
const call = { signal, check: () => Promise.resolve() };

/** The volumes of an engine: creating one whose name exists gives the one that is there, and labels never change. */
class Volumes {
  readonly all = new Map<string, Labels>();
  /** Called before each request. */
  before: (request: EngineRequest) => Promise<void> = () => Promise.resolve();

  readonly engine: Pick<EngineClient, "json"> = {
    json: async <T>(request: EngineRequest): Promise<T> => {
      await this.before(request);
      return this.#answer(request) as T;
    },
  };

  #answer({ method, path, body, query }: EngineRequest): unknown {
    if (method === "POST") {
      const { Name, Labels } = body as { Name: string; Labels: Labels };
      if (!this.all.has(Name)) this.all.set(Name, Labels);
      return { Name, Labels: this.all.get(Name) };
    }
    if (method === "DELETE") {
      if (!this.all.delete(decodeURIComponent(path.slice("/volumes/".length))))
        throw new EngineError(404, "no such volume");
      return undefined;
    }
    // As `labelled` makes them.
    const { label } = (query ?? {})["filters"] as { label: readonly string[] };
    const found = [...this.all].filter(([, labels]) =>
      label.every((each) => labels[each.slice(0, each.indexOf("="))] === each.slice(each.indexOf("=") + 1)),
    );
    return { Volumes: found.map(([Name, Labels]) => ({ Name, Labels })) };
  }
}

function recordsOf(volumes: Volumes): VolumeRecords {
  return new VolumeRecords(volumes.engine as EngineClient, "ledger");
}

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

test("a volume that an engine left without its labels is told, for creating and for changing", async () => {
  const volumes = new Volumes();
  const records = recordsOf(volumes);
  const half = { code: "INVALID", message: /has none of the labels of a record/ };
  const version = await records.create("a", "one", {}, call);
  const [name = ""] = volumes.all.keys();
  volumes.all.set(name.replace(/1$/, "2"), {});
  await assert.rejects(records.swap("a", "two", version ?? "", {}, call), half);
  assert.equal((await records.read("a", signal))?.value, "one");
  volumes.all.set(name, {});
  await assert.rejects(records.create("a", "one", {}, call), half);
});
