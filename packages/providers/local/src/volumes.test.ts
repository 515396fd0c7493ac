import { strict as assert } from "node:assert";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder, testIdentity } from "./fixtures.test.support.ts";
import { ensureMounts, mountsOf, readVolumes, removeVolume } from "./volumes.ts";

const web = testIdentity("local_x");
const foreign = testIdentity("local_x", "web", "shop", "lin_11111111111111111111111111");

test("unnamed volumes belong to a replica, named ones to the stack, others are only linked", () => {
  const volumes = [
    { path: "data", readOnly: false },
    { path: "cache/a", readOnly: false },
    { path: "uploads", name: "uploads", readOnly: false },
    { path: "old", external: "legacy", readOnly: false },
    { path: "srv", host: "/srv", readOnly: false },
  ];
  const targets = (ordinal: number) => mountsOf("/data", web, volumes, ordinal).map((each) => each.target);
  assert.deepEqual(targets(1), [
    "/data/volumes/shop-web-storage/data",
    "/data/volumes/shop-web-storage-cache-a/data",
    "/data/volumes/shop-uploads/data",
    "/data/volumes/legacy/data",
    "/srv",
  ]);
  assert.deepEqual(targets(2).slice(0, 3), [
    "/data/volumes/shop-web-2-storage/data",
    "/data/volumes/shop-web-2-storage-cache-a/data",
    "/data/volumes/shop-uploads/data",
  ]);
});

test("a volume is made once, by however many at a time, and keeps its data", async (t) => {
  const dir = await temporaryFolder(t);
  const mounts = mountsOf(dir, web, [{ path: "data", readOnly: false }], 1);
  await Promise.all(Array.from({ length: 8 }, () => ensureMounts(dir, web, mounts)));
  const file = join(dir, "volumes/shop-web-storage/data/row");
  await writeFile(file, "kept");
  await ensureMounts(dir, web, mounts);
  assert.equal(await readFile(file, "utf8"), "kept");
  assert.deepEqual(await readdir(join(dir, "volumes")), ["shop-web-storage"]);
  assert.deepEqual(
    readVolumes(dir).map(({ name, instance }) => [name, instance]),
    [["shop-web-storage", "shop-web"]],
  );
  await removeVolume(dir, "shop-web-storage");
  await removeVolume(dir, "shop-web-storage");
  assert.deepEqual(await readdir(join(dir, "volumes")), []);
});

test("what belongs to others is refused", async (t) => {
  const dir = await temporaryFolder(t);
  const mounts = mountsOf(dir, web, [{ path: "data", readOnly: false }], 1);
  await ensureMounts(dir, web, mounts);
  await assert.rejects(ensureMounts(dir, foreign, mounts), {
    code: "CONFLICT",
    message: /belongs to another stack \(shop, lin_0/,
  });
  await rename(join(dir, "volumes/shop-web-storage"), join(dir, "moved"));
  await mkdir(join(dir, "volumes/shop-web-storage"));
  await writeFile(join(dir, "volumes/shop-web-storage/notes"), "mine");
  await assert.rejects(ensureMounts(dir, web, mounts), { code: "CONFLICT", hint: /Move it away/ });
  assert.deepEqual(await readdir(join(dir, "volumes")), ["shop-web-storage"]);
});

test("an external volume and a folder of the host must exist", async (t) => {
  const dir = await temporaryFolder(t);
  const external = mountsOf(dir, web, [{ path: "data", external: "legacy", readOnly: false }], 1);
  await assert.rejects(ensureMounts(dir, web, external), {
    code: "NOT_FOUND",
    message: "the external volume legacy does not exist",
  });
  await mkdir(join(dir, "volumes/legacy/data"), { recursive: true });
  await ensureMounts(dir, foreign, external);
  const host = mountsOf(dir, web, [{ path: "data", host: join(dir, "nowhere"), readOnly: false }], 1);
  await assert.rejects(ensureMounts(dir, web, host), { code: "NOT_FOUND" });
});
