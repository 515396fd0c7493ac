import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

interface LockEntry {
  resolved?: string;
  link?: boolean;
  integrity?: string;
  os?: string | string[];
}

const lock = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package-lock.json"), "utf8")) as {
  packages: Record<string, LockEntry>;
};
const installed = Object.entries(lock.packages).filter(([path]) => path.startsWith("node_modules/"));

test("the lockfile holds no download address: every registry serves it", () => {
  const addresses = installed.filter(([, entry]) => entry.link !== true && entry.resolved !== undefined);
  assert.deepEqual(addresses, []);
});

test("everything that Linux installs is held by a hash", () => {
  const unchecked = installed.filter(
    ([path, entry]) =>
      entry.link !== true &&
      entry.integrity === undefined &&
      (entry.os === undefined || path.includes("linux-x64-gnu")),
  );
  assert.deepEqual(unchecked, []);
});

test("a current Node comes with the lockfile for the common Linux processors", () => {
  for (const processor of ["x64", "arm64"]) {
    assert.ok(lock.packages[`node_modules/node-linux-${processor}`]?.integrity !== undefined, processor);
  }
});
