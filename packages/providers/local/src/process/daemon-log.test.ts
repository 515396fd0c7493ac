import assert from "node:assert/strict";
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rotateDaemonLog } from "./daemon-log.ts";

test("a daemon's log that grew too large is put aside, and its writer goes on in an empty one", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "pctl-log-"));
  const path = join(folder, "supervisor.log");
  rotateDaemonLog(path, 4);
  const writer = openSync(path, "a");
  t.after(() => {
    closeSync(writer);
    rmSync(folder, { recursive: true });
  });
  writeSync(writer, "1234");
  rotateDaemonLog(path, 4);
  assert.equal(readFileSync(path, "utf8"), "1234");
  appendFileSync(path, "5");
  rotateDaemonLog(path, 4);
  writeSync(writer, "6");
  assert.deepEqual([readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")], ["12345", "6"]);
});
