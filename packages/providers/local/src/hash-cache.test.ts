import { strict as assert } from "node:assert";
import { lstatSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openHashCache } from "./hash-cache.ts";
import { temporaryFolder } from "./fixtures.test.support.ts";

test("a hash is kept for a file that was left alone for 2 s before, and until it changes", async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, "file");
  await writeFile(file, "one");
  const stat = lstatSync(file, { bigint: true });
  const changedMs = Number(stat.ctimeNs / 1_000_000n);

  const racy = await openHashCache(folder, "/web", () => changedMs + 1_000);
  racy.record("file", stat, "hash");
  await racy.save();
  assert.equal((await openHashCache(folder, "/web")).lookup("file", stat), undefined);

  const settled = await openHashCache(folder, "/web", () => changedMs + 3_000);
  settled.record("file", stat, "hash");
  await settled.save();
  const again = await openHashCache(folder, "/web");
  assert.equal(again.lookup("file", stat), "hash");
  assert.equal(again.lookup("constructor", stat), undefined);
  assert.equal((await openHashCache(folder, "/other")).lookup("file", stat), undefined);
  await writeFile(file, "two");
  assert.equal(again.lookup("file", lstatSync(file, { bigint: true })), undefined);
});

test("a damaged cache counts as empty", async (t) => {
  const folder = await temporaryFolder(t);
  const cache = await openHashCache(folder, "/web", () => Infinity);
  const stat = lstatSync(folder, { bigint: true });
  cache.record("file", stat, "hash");
  await cache.save();
  const [name = ""] = readdirSync(folder);
  await writeFile(join(folder, name), "{ half");
  assert.equal((await openHashCache(folder, "/web")).lookup("file", stat), undefined);
});
