import assert from "node:assert/strict";
import { test } from "node:test";
import { interpolate, parseInterpolation } from "./interpolation.ts";

const values: Readonly<Record<string, string>> = { SET: "value", EMPTY: "", _x9: "lower" };

const read: readonly (readonly [text: string, result: string])[] = [
  ["plain", "plain"],
  ["", ""],
  ["$SET-$SET", "value-value"],
  ["${SET}x", "valuex"],
  ["$_x9", "lower"],
  ["$$SET $${SET}", "$SET ${SET}"],
  ["$$$SET", "$value"],
  ["$UNSET.", "."],
  ["${UNSET:-a}${UNSET-b}", "ab"],
  ["${EMPTY:-a}${EMPTY-b}", "a"],
  ["${SET:-a}${SET-b}", "valuevalue"],
  ["${SET:+a}${SET+b}${EMPTY:+c}${EMPTY+d}${UNSET:+e}${UNSET+f}", "abd"],
  ["${SET:?must be set}${SET?}", "valuevalue"],
  ["${UNSET:-${OTHER:-${SET}}}", "value"],
  ["${UNSET:-$SET and more}", "value and more"],
  ['${UNSET:-{"a": [1, 2]}}', '{"a": [1, 2]}'],
  ["${UNSET:-}", ""],
  ["${UNSET:-a:-b}", "a:-b"],
];

for (const [text, result] of read) {
  test(`${JSON.stringify(text)} is ${JSON.stringify(result)}`, () => {
    const template = parseInterpolation(text);
    assert.ok(template !== undefined);
    assert.equal(
      interpolate(template, (name) => values[name]),
      result,
    );
  });
}

for (const text of ["costs 5 $", "$5", "${}", "${1A}", "${A", "${A:}", "${A:x}", "${ A }", "${A:-${}}"]) {
  test(`${text} is refused, as compose refuses it`, () => {
    assert.equal(parseInterpolation(text), undefined);
  });
}
