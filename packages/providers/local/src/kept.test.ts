import { strict as assert } from "node:assert";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sha256 } from "@ctrlplane/core/provider";
import { retention } from "./kept.ts";
import { mountedFiles } from "./mounted-files.ts";
import { snapshotStore } from "./snapshot.ts";
import { temporaryFolder, testIdentity, testRelease, testSpec } from "./fixtures.test.support.ts";

test("the newest `keep` releases and the one that serves keep their files, of every instance", async (t) => {
  const dir = await temporaryFolder(t);
  const files = mountedFiles(dir);
  const kept = retention(dir, snapshotStore(dir), files, Date.now);
  const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  const digestOf = (number: number, service: string) => sha256(`${service} ${number}`);
  const release = async (number: number, service = "web") => {
    const digest = digestOf(number, service);
    const folder = join(dir, "snapshots", digest);
    await mkdir(folder, { recursive: true });
    await utimes(folder, longAgo, longAgo);
    const file = { path: "conf", source: "/conf", digest: sha256(digest), contentBase64: "" };
    await utimes(await files.ensure(file), longAgo, longAgo);
    const image = { digest: `sha256:${digest}`, declared: "./web" };
    return testRelease(testIdentity("local_x", service), testSpec("/web", { keep: 2, files: [file] }), image, number);
  };
  await kept.keep(await release(1, "other"), undefined);
  for (const number of [1, 2, 3, 4]) await kept.keep(await release(number), 1);
  await writeFile(join(dir, "kept", "shop-web.json.half"), "{");
  await kept.prune();
  const expected = [digestOf(1, "other"), digestOf(1, "web"), digestOf(3, "web"), digestOf(4, "web")];
  assert.deepEqual(await readdir(join(dir, "snapshots")), expected.toSorted());
  assert.deepEqual(await readdir(join(dir, "files")), expected.map((each) => sha256(each)).sort());

  await kept.forget("shop-web");
  await kept.prune();
  assert.deepEqual(await readdir(join(dir, "snapshots")), [digestOf(1, "other")]);
});
