import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { errorIn, readMessages, type ErrorMessage } from "./messages.ts";

test("messages in pieces, and why an answer ended early, as old and new engines say it", async () => {
  const pieces = [
    '{"stream":"a"}\n{"er',
    'ror":"old words","errorDetail":{"message":"words"}}\r\n',
    '{"errorDetail":{"message":"new"}}',
  ];
  const answer = Readable.from(pieces.map((each) => Buffer.from(each)));
  const found: ErrorMessage[] = [];
  for await (const each of readMessages<ErrorMessage>(answer, "engine")) found.push(each);
  assert.deepEqual(found.map(errorIn), [undefined, "words", "new"]);
  assert.equal(errorIn({ error: "old" }), "old");
});
