import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { removeTree } from "./remove-tree.ts";
import { makeWorkFolder } from "./work-folder.ts";

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "pctl-work-"));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test("a copy keeps bytes, modes, links, and folders that may not be written to", async (t) => {
  const dir = folder(t);
  const tree = join(dir, "tree");
  mkdirSync(join(tree, "a/sealed"), { recursive: true });
  writeFileSync(join(tree, "a/sealed/run"), "x", { mode: 0o755 });
  writeFileSync(join(tree, "a/secret"), "y", { mode: 0o600 });
  symlinkSync("../nowhere", join(tree, "a/link"));
  chmodSync(join(tree, "a/sealed"), 0o555);
  const work = join(dir, "work");
  await makeWorkFolder({ work, tree, links: [] });
  const mode = (path: string): number => statSync(join(work, path)).mode & 0o777;
  assert.equal(readFileSync(join(work, "a/sealed/run"), "utf8"), "x");
  assert.deepEqual([mode("a/sealed"), mode("a/sealed/run"), mode("a/secret")], [0o555, 0o755, 0o600]);
  assert.equal(readlinkSync(join(work, "a/link")), "../nowhere");
  for (const each of [tree, work]) await removeTree(each);
  assert.deepEqual(readdirSync(dir), []);
});

test("a link to a volume replaces what the tree has there, and the tree is untouched", async (t) => {
  const dir = folder(t);
  const tree = join(dir, "tree");
  mkdirSync(join(tree, "data/uploads"), { recursive: true });
  writeFileSync(join(tree, "data/uploads/sample"), "x");
  const work = join(dir, "work");
  await makeWorkFolder({ work, tree, links: [{ path: "data/uploads", target: "/volume" }] });
  assert.equal(readlinkSync(join(work, "data/uploads")), "/volume");
  assert.equal(readFileSync(join(tree, "data/uploads/sample"), "utf8"), "x");
});

test("a link that would leave the working folder is refused", async (t) => {
  for (const path of ["../out", ".", "a/../.."]) {
    const work = join(folder(t), "work");
    await assert.rejects(makeWorkFolder({ work, links: [{ path, target: "/volume" }] }), { code: "INVALID" });
  }
});
