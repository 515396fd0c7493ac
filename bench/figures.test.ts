import assert from "node:assert/strict";
import { test } from "node:test";
import { figureOf, withFigures } from "./docs/figures.ts";
import type { Result } from "./report.ts";

const table = (name: string, word: string): string => `### \`${name}\`\n\n${word}\n`;
const page = `# P

<!-- figures: written by \`npm run bench -- --write\` -->

A machine.

${table("plan", "old plan")}
${table("change", "old change")}
<!-- end of figures -->

after
`;
const result = (benchmark: string): Result => ({
  benchmark,
  at: "2030-01-02T03:04:05Z",
  node: "v24.1.0",
  load: 0.25,
  rows: [],
});

test("figures replace those of the same name between the markers, and nothing else", () => {
  const written = withFigures(page, [result("plan"), result("deploy")]);
  assert.deepEqual(
    [...written.matchAll(/^### .*|^old .*|^after$/gm)].map(([line]) => line),
    ["### `change`", "old change", "### `deploy`", "### `plan`", "after"],
  );
  assert.equal(withFigures(written, [result("plan"), result("deploy")]), written);
  assert.throws(() => withFigures("# no markers", []), /lacks/);
});

test("a row says value, comparison, ratio, goal, and whether it was missed", () => {
  const rows = [
    { name: "a", value: 4, unit: "ms", baseline: { name: "b", value: 2 }, ratio: 2, goal: { atMost: 1.5 }, met: false },
    { name: "c", value: 1234.5, unit: "MB" },
  ];
  const text = figureOf({ ...result("x"), rows });
  assert.match(text, /### `x`\n\n2030-01-02, Node 24\.1\.0, load 0\.3 at its end\./);
  assert.match(text, /^\| a \| 4\.00 ms \| b: 2\.00 ms \| 2\.00 \| ≤ 1\.5 \| \*\*missed\*\* \|$/m);
  assert.match(text, /^\| c \| 1235 MB \|  \|  \|  \|  \|$/m);
});
