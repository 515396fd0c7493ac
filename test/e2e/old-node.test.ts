import assert from "node:assert/strict";
import { execFileSync, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { test } from "node:test";
import { entry } from "./fixture.ts";

/** The first `node` of the usual places that is too old for pctl. */
function oldNode(): string | undefined {
  return ["/usr/bin/node", "/usr/local/bin/node"].find((file) => {
    const { status, stdout } = spawnSync(file, ["--version"], { encoding: "utf8" });
    const [major = 0, minor = 0] = (status === 0 ? stdout : "v99.0.0").slice(1).split(".").map(Number);
    return major < 22 || (major === 22 && minor < 18);
  });
}

const oldFile = oldNode();
const skip = oldFile === undefined ? "missing on this machine: a Node older than 22.18" : false;

test("an older Node: one line that says which is needed, exit 1", { skip }, () => {
  if (oldFile === undefined) return;
  const version = execFileSync(oldFile, ["--version"], { encoding: "utf8" }).trim().slice(1);
  for (const words of [["--version"], ["deploy"], ["--help"]]) {
    const said: SpawnSyncReturns<string> = spawnSync(oldFile, [entry, ...words], { encoding: "utf8" });
    const { status, stdout, stderr } = said;
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^[^\n]*Node[^\n]*\n$/);
    assert.ok(stderr.includes(version), `it does not say that this is ${version}: ${stderr}`);
    assert.match(stderr, /\b2[24]\b/);
  }
});
