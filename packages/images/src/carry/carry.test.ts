import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { leftOutByHash, leftOutByManifest, sharedLayers } from "./layers.ts";
import { filterTar, type TarDecision, type TarEntry } from "./tar-entries.ts";

/** Cut into pieces that end in the middle of everything. */
async function* cut(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

async function filtered(whole: Buffer, decide: (entry: TarEntry) => TarDecision, size = 700): Promise<Buffer> {
  return buffer(Readable.from(filterTar(cut(whole, size), decide)));
}

test("what is dropped is gone with its long name, all else passes byte by byte", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-tar-"));
  t.after(() => rm(folder, { recursive: true }));
  const from = join(folder, "from");
  const long = "d".repeat(120);
  await mkdir(join(from, long), { recursive: true });
  for (const each of ["a", "b", `${long}/ü`, `${long}/spare`]) await writeFile(join(from, each), each.repeat(300));
  await symlink("a", join(from, "link"));
  for (const format of ["pax", "gnu"]) {
    const file = join(folder, `${format}.tar`);
    execFileSync("tar", ["-C", from, `--format=${format}`, "-cf", file, "a", "b", "link", long]);
    const whole = await readFile(file);
    for (const size of [97, 700, 1 << 20]) assert.ok((await filtered(whole, () => "pass", size)).equals(whole));

    const seen: TarEntry[] = [];
    let content = "";
    const rest = await filtered(whole, (entry) => {
      seen.push(entry);
      if (entry.path === "a") return (bytes) => (content = bytes.toString());
      return entry.path === "b" || entry.path.endsWith("/spare") ? "drop" : "pass";
    });
    assert.equal(content, "a".repeat(300));
    assert.deepEqual(
      seen.find((each) => each.path === "link"),
      { path: "link", bytes: 0, linkpath: "a" },
    );
    const left = execFileSync("tar", ["-t", "--quoting-style=literal"], { input: rest }).toString();
    assert.deepEqual(left.trim().split("\n"), ["a", "link", `${long}/`, `${long}/ü`], format);
    await assert.rejects(
      filtered(whole.subarray(0, 900), () => "pass"),
      RangeError,
    );
    await assert.rejects(
      filtered(Buffer.alloc(1024, 1), () => "pass"),
      RangeError,
    );
  }
});

test("only a common bottom is shared", () => {
  assert.equal(sharedLayers(["a", "b", "c"], [["a"], ["a", "b", "x"], ["b", "c"], []]), 2);
  assert.equal(sharedLayers(["a", "b"], [["a", "b", "c"]]), 2);
  assert.equal(sharedLayers(["a"], [["b", "a"]]), 0);
  assert.equal(sharedLayers(["a"], []), 0);
});

test("a layer that is needed further up travels, also where it is a link to one below", () => {
  assert.deepEqual(leftOutByHash(["sha256:a", "sha256:b", "sha256:a", "sha256:c"], 2), new Set(["blobs/sha256/b"]));
  const manifest = [{ Layers: ["1/layer.tar", "2/layer.tar", "3/layer.tar"] }];
  assert.deepEqual(leftOutByManifest(manifest, [], 2), new Set(["1/layer.tar", "2/layer.tar"]));
  const link = { path: "3/layer.tar", linkpath: "../1/layer.tar", bytes: 0 };
  assert.deepEqual(leftOutByManifest(manifest, [link], 2), new Set(["2/layer.tar"]));
  assert.throws(() => leftOutByManifest([], [], 1), { code: "INTERNAL" });
});
