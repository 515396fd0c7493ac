import { cpus, release, totalmem } from "node:os";
import { goalText, quantity, type Judged, type Result } from "../report.ts";

const begin = "<!-- figures: written by `npm run bench -- --write` -->";
const end = "<!-- end of figures -->";

/** The page with what stands between its two markers replaced; throws where a marker is missing. */
export function withFigures(page: string, figures: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page lacks ${begin} … ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${figures}\n\n${page.slice(to)}`;
}

/** A line on the machine, and a table for each benchmark, as Markdown. */
export function figuresOf(results: readonly Result[]): string {
  return [machine(), ...results.map(figure)].join("\n\n");
}

function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `Linux ${release()}, ${cpus().length} × ${first?.model.trim() ?? "unknown processor"}, ${memory} GB.`;
}

function figure({ benchmark, at, node, load, rows }: Result): string {
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
