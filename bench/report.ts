import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { basename, join } from "node:path";
import { styleText } from "node:util";

/** One measurement of a benchmark. Name the unit in `unit`; smaller is better unless `atLeast` stands instead of `atMost`. */
export interface Row {
  name: string;
  value: number;
  /** Of `value` and `baseline`: "ms", "MB", "requests/s", "calls". */
  unit: string;
  /** The same measured in the same run on what this is compared with. */
  baseline?: { name: string; value: number };
  /** The goal, for `value / baseline` where there is a baseline, else for `value`. Without one the row only informs. */
  goal?: { atMost: number } | { atLeast: number };
}

/** What a row says against its goal. */
export interface Judged extends Row {
  ratio?: number;
  met?: boolean;
}

/** One benchmark's file under bench/results/. */
export interface Result {
  benchmark: string;
  at: string;
  node: string;
  /** Of the machine over the last minute, at the end of the benchmark. */
  load: number;
  rows: Judged[];
}

const folder = join(import.meta.dirname, "results");

/** Middle value; of an even count the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1);
  return (low + high) / 2;
}

/**
 * The last call of a benchmark: prints its rows as a table, writes `bench/results/<file name>.json`, and makes the process
 * end with code 1 if a goal was missed. Call it as `report(import.meta.filename, rows)`.
 */
export function report(file: string, rows: readonly Row[]): void {
  const benchmark = basename(file, ".ts");
  const judged = rows.map(judge);
  const result: Result = {
    benchmark,
    at: new Date().toISOString(),
    node: process.version,
    load: loadavg()[0] ?? NaN,
    rows: judged,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${benchmark}.json`), `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`${styleText("bold", benchmark)}\n${table(judged)}\n`);
  if (judged.some((row) => row.met === false)) process.exitCode = 1;
}

export function judge(row: Row): Judged {
  const ratio = row.baseline === undefined ? undefined : row.value / row.baseline.value;
  const { goal } = row;
  if (goal === undefined) return { ...row, ...(ratio !== undefined && { ratio }) };
  const measured = ratio ?? row.value;
  const met = "atMost" in goal ? measured <= goal.atMost : measured >= goal.atLeast;
  return { ...row, ...(ratio !== undefined && { ratio }), met };
}

/** Rows as aligned columns: name, value, baseline, ratio, goal. */
export function table(rows: readonly Judged[]): string {
  const cells = rows.map((row) => [
    row.name,
    quantity(row.value, row.unit),
    row.baseline === undefined ? "" : `${row.baseline.name} ${quantity(row.baseline.value, row.unit)}`,
    row.ratio === undefined ? "" : `ratio ${row.ratio.toFixed(2)}`,
    row.goal === undefined ? "" : `goal ${goalText(row.goal)}`,
    row.met === undefined ? "" : row.met ? "met" : "MISSED",
  ]);
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) => `  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}

export function goalText(goal: { atMost: number } | { atLeast: number }): string {
  return "atMost" in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
}

/** Three digits, or all before the point. Counts stay whole. */
export function quantity(value: number, unit: string): string {
  const isWhole = value >= 1000 || (Number.isInteger(value) && (unit === "calls" || unit === "requests"));
  return `${isWhole ? Math.round(value) : value.toPrecision(3)} ${unit}`;
}
