import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, median, table } from "./report.ts";

test("a row with a baseline is judged by its ratio", () => {
  const row = { name: "help", value: 60, unit: "ms", baseline: { name: "node", value: 50 } };
  assert.equal(judge({ ...row, goal: { atMost: 1.2 } }).met, true);
  assert.equal(judge({ ...row, goal: { atMost: 1.19 } }).met, false);
  assert.equal(judge({ ...row, goal: { atLeast: 1.3 } }).met, false);
  assert.equal(judge(row).met, undefined);
});

test("a row without a baseline is judged by its value", () => {
  assert.equal(judge({ name: "plan", value: 1.9, unit: "s", goal: { atMost: 2 } }).met, true);
  assert.equal(judge({ name: "plan", value: 2.1, unit: "s", goal: { atMost: 2 } }).met, false);
});

test("what was not measured misses its goal", () => {
  assert.equal(judge({ name: "plan", value: median([]), unit: "s", goal: { atMost: 2 } }).met, false);
});

test("median takes the middle, or the mean of the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 100]), 3);
});

test("the table aligns its columns and names a missed goal", () => {
  const rows = [
    judge({ name: "help", value: 60, unit: "ms", baseline: { name: "node", value: 50 }, goal: { atMost: 1.1 } }),
    judge({ name: "memory", value: 1234.5, unit: "MB" }),
  ];
  assert.equal(table(rows), "  help    60.0 ms  node 50.0 ms  ratio 1.20  goal ≤ 1.1  MISSED\n  memory  1235 MB");
});
