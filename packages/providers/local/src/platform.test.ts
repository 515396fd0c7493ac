import { strict as assert } from "node:assert";
import { readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ensurePlatform, readPlatformId } from "./platform.ts";
import { temporaryFolder } from "./fixtures.test.support.ts";

test("the id is known before anything is written, and is then written", async (t) => {
  const folder = await temporaryFolder(t);
  const dir = join(folder, "deep/data");
  const before = await readPlatformId(dir);
  assert.match(before, /^local_[0-9a-z]{26}$/);
  assert.deepEqual(await readdir(folder), []);
  const all = await Promise.all(Array.from({ length: 10 }, () => ensurePlatform(dir)));
  assert.deepEqual(new Set(all), new Set([before]));
  assert.deepEqual(await readdir(dir), ["platform.json"]);
  assert.equal((await stat(dir)).mode & 0o777, 0o700);
});

test("two folders are two platforms, two names of one folder are one", async (t) => {
  const folder = await temporaryFolder(t);
  await ensurePlatform(join(folder, "a"));
  await symlink("a", join(folder, "alias"));
  assert.notEqual(await readPlatformId(join(folder, "a")), await readPlatformId(join(folder, "b")));
  assert.equal(await readPlatformId(join(folder, "a")), await readPlatformId(join(folder, "alias")));
  await symlink(folder, join(folder, "self"));
  assert.equal(await readPlatformId(join(folder, "new")), await readPlatformId(join(folder, "self/new")));
});

test("a damaged platform.json is refused by name, with the way out", async (t) => {
  const dir = await temporaryFolder(t);
  const file = join(dir, "platform.json");
  await writeFile(file, "{}");
  await assert.rejects(ensurePlatform(dir), { code: "INVALID", target: file, hint: /remove it/ });
  await rm(file);
  assert.equal(await ensurePlatform(dir), await readPlatformId(dir));
});
