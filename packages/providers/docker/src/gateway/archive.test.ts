import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { packFolder, unpackFile } from "./archive.ts";

test("a folder with files that tar itself reads, and reads back", () => {
  const big = "ü".repeat(700);
  const archive = packFolder("etc/x", { "a.cfg": "line\n", "b.json": big });
  const listed = spawnSync("tar", ["-tvf", "-"], { input: archive, encoding: "utf8" });
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stdout, /^drwxr-xr-x .* etc\/x\/$/m);
  assert.match(listed.stdout, /^-rw-r--r-- .* 1400 .* etc\/x\/b\.json$/m);
  assert.equal(unpackFile(packFolder("etc", { "b.json": big })), big);
  assert.equal(unpackFile(archive), "line\n");
  assert.equal(unpackFile(packFolder("etc", {})), undefined);
  assert.equal(unpackFile(Buffer.alloc(1024)), undefined);
});
