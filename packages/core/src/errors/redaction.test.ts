import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { array, assert as assertProperty, constantFrom, property, string } from "fast-check";
import { createRedactor, mask } from "./redaction.ts";

function redact(text: string, ...values: string[]): string {
  const redactor = createRedactor();
  for (const value of values) redactor.add(value);
  return redactor.redact(text);
}

const cases: readonly (readonly [string, string, readonly string[], string])[] = [
  ["plain", "a hunter2 b hunter2", ["hunter2"], `a ${mask} b ${mask}`],
  ["JSON", JSON.stringify({ a: 'x"y\nz' }), ['x"y\nz'], `{"a":"${mask}"}`],
  ["a URL", `https://u:${encodeURIComponent("p@ss/wörd")}@h`, ["p@ss/wörd"], `https://u:${mask}@h`],
  ["a form", "a=p%40ss+word", ["p@ss word"], `a=${mask}`],
  ["base64", Buffer.from("hunter2!").toString("base64"), ["hunter2!"], mask],
  ["base64 for URLs", Buffer.from("???>>>~~~").toString("base64url"), ["???>>>~~~"], mask],
  ["the longest of several", "abcdefgh", ["abcd", "abcdefgh"], mask],
  ["values that overlap", "xabcdefghx", ["abcde", "defgh"], `x${mask}x`],
  ["values side by side", "abcdefgh", ["abcd", "efgh"], mask],
  [
    "a line of a key",
    "line: MIIEvQIBADANBg",
    ["-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----"],
    `line: ${mask}`,
  ],
  ["too short to look for", "abc", ["abc"], "abc"],
  ["nothing to find", "abc", ["hunter2"], "abc"],
];
describe("what a secret looks like", () => {
  for (const [what, text, values, expected] of cases) test(what, () => assert.equal(redact(text, ...values), expected));
});

test("inside longer base64, such as basic authentication, at any offset", () => {
  for (const user of ["u", "us", "use", "user"]) {
    const header = Buffer.from(`${user}:correct horse battery`).toString("base64");
    assert.match(redact(header, "correct horse battery"), new RegExp(mask));
  }
});

test("no text holds a known value afterwards", () => {
  const word = string({ minLength: 4, maxLength: 12, unit: constantFrom("a", "b", '"', "\n", "é", "%") });
  assertProperty(
    property(array(word, { minLength: 1, maxLength: 5 }), array(string(), { maxLength: 6 }), (values, between) => {
      const text = between.flatMap((each, index) => [each, values[index % values.length] ?? ""]).join("");
      const result = redact(text, ...values);
      for (const value of values) assert.ok(!result.includes(value) || mask.includes(value));
    }),
  );
});

test("hundreds of values cost little more than one", () => {
  const redactor = createRedactor();
  for (let index = 0; index < 500; index++) redactor.add(`secret-number-${index}-of-many`);
  const text = "a line of log that holds nothing of interest\n".repeat(20_000);
  const started = performance.now();
  assert.equal(redactor.redact(text), text);
  // 900 kB; a search for each value by itself would take some 5000 times the text.
  assert.ok(performance.now() - started < 2000);
});
