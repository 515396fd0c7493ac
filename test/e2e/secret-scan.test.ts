import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { SecretScan } from "./secret-scan.ts";

const secret = `begin "quoted" 'it'\n$HOME $(x) & \`y\` é 漢字 🦊 \\ end`;
const scan = new SecretScan({ TOKEN: secret });
const hidden = (text: string): string => `before ${text} after`;

/** Made by other means than the scanner's own, where there are any. */
const planted: Record<string, string> = {
  plain: hidden(secret),
  json: JSON.stringify({ nested: { env: [secret] } }),
  "json in json": JSON.stringify({ message: JSON.stringify({ secret }) }),
  // As Python's json.dumps writes it.
  "json with escapes alone": String.raw`"begin \"quoted\" 'it'\n$HOME $(x) & ${"`"}y${"`"} \u00e9 \u6f22\u5b57 \ud83e\udd8a \\ end"`,
  url: hidden(encodeURIComponent(secret)),
  "form field": new URLSearchParams({ a: "1", token: secret }).toString(),
  base64: hidden(Buffer.from(secret).toString("base64")),
  base64url: hidden(Buffer.from(secret).toString("base64url")),
  "basic authentication": `Basic ${Buffer.from(`user:${secret}`).toString("base64")}`,
  "base64 behind one byte": Buffer.from(`a${secret}b`).toString("base64"),
  "base64 behind two bytes": Buffer.from(`ab${secret}cd`).toString("base64"),
  hex: Buffer.from(secret).toString("hex"),
  "one line": "an error: begin \"quoted\" 'it'",
  "a compressed record": `{"a":"z1:${deflateRawSync(JSON.stringify({ env: secret })).toString("base64")}"}`,
};

for (const [how, text] of Object.entries(planted)) {
  test(`control: a planted secret is found, ${how}`, () => {
    assert.notDeepEqual(scan.find(text), []);
    assert.notDeepEqual(
      scan.find(Buffer.concat([Buffer.from([0xff, 0, 0xfe]), Buffer.from(text)])),
      [],
      "in bytes that are no text",
    );
  });
}

test("control: it is found in a file and in a file's name", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "scan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "deep.log"), planted["json"] ?? "");
  writeFileSync(join(folder, encodeURIComponent("0123456789$")), "");
  const both = new SecretScan({ TOKEN: secret, OTHER: "0123456789$" });
  assert.deepEqual(
    both
      .findBelow(folder, () => false)
      .map((line) => line.replace(/ as .*/, ""))
      .toSorted()
      .filter((line, at, all) => line !== all[at - 1]),
    ["0123456789%24: OTHER", "deep.log: TOKEN"],
  );
  assert.deepEqual(
    both.findBelow(folder, () => true),
    [],
  );
});

test("nothing is found where nothing is", () => {
  assert.deepEqual(scan.find(hidden("begin quoted it, $HOME, end")), []);
  assert.deepEqual(scan.find(JSON.stringify({ TOKEN: "••••••", sealed: "sealed:v1:00000000:AAAA" })), []);
});
