import { strict as assert } from "node:assert";
import { lstatSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { openHashCache } from "./hash-cache.ts";

test("a hash is kept for a file that was left alone for 2 s before, and until it changes", async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, "file");
  await writeFile(file, "one");
  const stat = lstatSync(file, { bigint: true });
  const changedMs = Number(stat.ctimeNs / 1_000_000n);

  const racy = await openHashCache(folder, "test", "/web", () => changedMs + 1_000);
  racy.record("file", stat, "hash");
  await racy.save();
  assert.equal((await openHashCache(folder, "test", "/web")).lookup("file", stat), undefined);

  const settled = await openHashCache(folder, "test", "/web", () => changedMs + 3_000);
  settled.record("file", stat, "hash");
  await settled.save();
  const again = await openHashCache(folder, "test", "/web");
  assert.equal(again.lookup("file", stat), "hash");
  assert.equal(again.lookup("constructor", stat), undefined);
  assert.equal((await openHashCache(folder, "test", "/other")).lookup("file", stat), undefined);
  await writeFile(file, "two");
  assert.equal(again.lookup("file", lstatSync(file, { bigint: true })), undefined);
});

test("what was not recorded since is forgotten, and names of the language are names like others", async (t) => {
  const folder = await temporaryFolder(t);
  const stat = lstatSync(folder, { bigint: true });
  const cache = await openHashCache(folder, "test", "/web", () => Infinity);
  cache.record("file", stat, "a");
  cache.record("__proto__", stat, "b");
  await cache.save();
  const again = await openHashCache(folder, "test", "/web");
  assert.equal(again.lookup("file", stat), "a");
  assert.equal(again.lookup("other", stat), undefined);
  assert.equal(again.lookup("constructor", stat), undefined);
  await again.save();
  assert.equal((await openHashCache(folder, "test", "/web")).lookup("file", stat), undefined);
  assert.equal((await openHashCache(folder, "another", "/web")).lookup("file", stat), undefined);
});

test("a damaged cache counts as empty", async (t) => {
  const folder = await temporaryFolder(t);
  const cache = await openHashCache(folder, "test", "/web", () => Infinity);
  const stat = lstatSync(folder, { bigint: true });
  cache.record("file", stat, "hash");
  await cache.save();
  const [name = ""] = readdirSync(folder);
  await writeFile(join(folder, name), "{ half");
  assert.equal((await openHashCache(folder, "test", "/web")).lookup("file", stat), undefined);
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pctl-hashes-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
