import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { tarOfFiles } from "@ctrlplane/images";
import { firstFileOf } from "./first-file.ts";

test("the first file of an archive, whatever is in it", async () => {
  const big = "ü".repeat(700);
  const archive = (files: Readonly<Record<string, string>>): Promise<Buffer> =>
    buffer(tarOfFiles(Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) }))));
  assert.equal(firstFileOf(await archive({ "etc/b.json": big })), big);
  assert.equal(firstFileOf(await archive({ "a.cfg": "line\n", "b.json": big })), "line\n");
  assert.equal(firstFileOf(await archive({})), undefined);
  assert.equal(firstFileOf(Buffer.alloc(0)), undefined);
});
