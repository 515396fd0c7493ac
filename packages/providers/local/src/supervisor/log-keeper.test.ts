import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { replicaFiles } from "../layout.ts";
import { LogKeeper } from "./log-keeper.ts";

test("the index tells where each piece of output and each run began", (t) => {
  const files = replicaFiles(mkdtempSync(join(tmpdir(), "pctl-log-")));
  t.after(() => rmSync(files.folder, { recursive: true, force: true }));
  const keeper = new LogKeeper(files);
  keeper.markRun(1);
  appendFileSync(files.log, "one\n");
  keeper.tick();
  keeper.tick();
  appendFileSync(files.log, "two\n");
  keeper.markRun(2);
  const lines = readFileSync(files.logIndex, "utf8").trim().split("\n");
  assert.deepEqual(
    lines.map((line) => line.replace(/ \d{13}/, " T")),
    ["0 T 1", "0 T", "4 T", "8 T 2"],
  );
});

test("a log is rotated at its size, three old ones stay, and who writes to it goes on", (t) => {
  const files = replicaFiles(mkdtempSync(join(tmpdir(), "pctl-log-")));
  t.after(() => rmSync(files.folder, { recursive: true, force: true }));
  const keeper = new LogKeeper(files, 8);
  for (const text of ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"]) {
    appendFileSync(files.log, text);
    keeper.tick();
  }
  appendFileSync(files.log, "e");
  keeper.tick();
  const read = (name: string): string => readFileSync(join(files.folder, name), "utf8");
  assert.deepEqual(["log", "log.1", "log.2", "log.3"].map(read), ["e", "dddddddd", "cccccccc", "bbbbbbbb"]);
  assert.equal(existsSync(join(files.folder, "log.4")), false);
  assert.match(read("log.1.index"), /^0 \d+\n$/);
  assert.match(read("log.index"), /^0 \d+\n$/);
});

test("what was there before a supervisor came is not output of now", (t) => {
  const files = replicaFiles(mkdtempSync(join(tmpdir(), "pctl-log-")));
  t.after(() => rmSync(files.folder, { recursive: true, force: true }));
  writeFileSync(files.log, "old\n");
  new LogKeeper(files).tick();
  assert.equal(existsSync(files.logIndex), false);
});
