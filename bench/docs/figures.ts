import { cpus, release, totalmem } from "node:os";
import { goalText, quantity, type Judged, type Result } from "../report.ts";

const begin = "<!-- figures: written by `npm run bench -- --write` -->";
const end = "<!-- end of figures -->";

/** The page with the figures of these results between its two markers; other benchmarks keep theirs. Throws where a marker is missing. */
export function withFigures(page: string, results: readonly Result[]): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page lacks ${begin} … ${end}`);
  const [, ...kept] = page.slice(from + begin.length, to).split(/^(?=### )/m);
  const figures = new Map(kept.map((text) => [headOf(text), text.trim()]));
  for (const result of results) figures.set(headOf(figureOf(result)), figureOf(result));
  const sorted = [...figures].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return `${page.slice(0, from)}${[begin, machine(), ...sorted].join("\n\n")}\n\n${page.slice(to)}`;
}

function headOf(text: string): string {
  return text.slice(0, text.indexOf("\n"));
}

function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `Linux ${release()}, ${cpus().length} × ${first?.model.trim() ?? "unknown processor"}, ${memory} GB.`;
}

/** A table under the benchmark's name, as Markdown. */
export function figureOf({ benchmark, at, node, load, rows }: Result): string {
  const head = `### \`${benchmark}\`\n\n${at.slice(0, 10)}, Node ${node.slice(1)}, load ${load.toFixed(1)} at its end.`;
  return [
    head,
    "",
    "| what | ours | compared with | ratio | goal | |",
    "| - | - | - | - | - | - |",
    ...rows.map(line),
  ].join("\n");
}

function line({ name, value, unit, baseline, ratio, goal, met }: Judged): string {
  const cells = [
    name.trim(),
    quantity(value, unit),
    baseline === undefined ? "" : `${baseline.name}: ${quantity(baseline.value, unit)}`,
    ratio === undefined ? "" : ratio.toFixed(2),
    goal === undefined ? "" : goalText(goal),
    met === undefined ? "" : met ? "met" : "**missed**",
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
