import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openHashCache } from "./hash-cache.ts";

test("a hash is known again until the file changes, and never where the change is young", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-hashes-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "file");
  await writeFile(file, "one");
  const seen = await stat(file, { bigint: true });
  const cacheDir = join(folder, "cache");
  const later = () => Date.now() + 3000;

  const young = await openHashCache(cacheDir, "key");
  young.record("file", seen, "a");
  await young.save();
  assert.equal((await openHashCache(cacheDir, "key")).lookup("file", seen), undefined);

  const cache = await openHashCache(cacheDir, "key", later);
  cache.record("file", seen, "a");
  cache.record("__proto__", seen, "b");
  await cache.save();
  const again = await openHashCache(cacheDir, "key");
  assert.equal(again.lookup("file", seen), "a");
  assert.equal(again.lookup("other", seen), undefined);
  assert.equal(again.lookup("constructor", seen), undefined);
  assert.equal((await openHashCache(cacheDir, "another key")).lookup("file", seen), undefined);
  await writeFile(file, "two, longer");
  assert.equal(again.lookup("file", await stat(file, { bigint: true })), undefined);

  await again.save();
  assert.equal(
    (await openHashCache(cacheDir, "key")).lookup("file", seen),
    undefined,
    "what was not seen is forgotten",
  );
});
