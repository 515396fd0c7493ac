import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresOf, withFigures } from "./docs/figures.ts";

const page =
  "# P\n\n<!-- figures: written by `npm run bench -- --write` -->\n\nold\n\n<!-- end of figures -->\n\nafter\n";

test("figures replace what stood between the markers, and nothing else", () => {
  const written = withFigures(page, "new");
  assert.equal(written, page.replace("old", "new"));
  assert.throws(() => withFigures("# no markers", "new"), /lacks/);
});

test("a row says value, comparison, ratio, goal, and whether it was missed", () => {
  const rows = [
    { name: "a", value: 4, unit: "ms", baseline: { name: "b", value: 2 }, ratio: 2, goal: { atMost: 1.5 }, met: false },
    { name: "c", value: 1234.5, unit: "MB" },
  ];
  const text = figuresOf([{ benchmark: "x", at: "2030-01-02T03:04:05Z", node: "v24.1.0", load: 0.25, rows }]);
  assert.match(text, /### `x`\n\n2030-01-02, Node 24\.1\.0, load 0\.3 at its end\./);
  assert.match(text, /^\| a \| 4\.00 ms \| b: 2\.00 ms \| 2\.00 \| ≤ 1\.5 \| \*\*missed\*\* \|$/m);
  assert.match(text, /^\| c \| 1235 MB \|  \|  \|  \|  \|$/m);
});
