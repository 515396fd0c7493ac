import { stripVTControlCharacters } from "node:util";

/** A table without lines: columns as wide as their widest cell, two spaces between, nothing after the last. Cells may carry colours. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => visibleWidth(row[column] ?? ""))));
  return all.map((row) =>
    header
      .map((_, column) => {
        const cell = row[column] ?? "";
        return cell + " ".repeat((widths[column] ?? 0) - visibleWidth(cell));
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Without those columns in which no row has anything. */
export function fullColumns(header: readonly string[], rows: readonly (readonly string[])[]): [string[], string[][]] {
  const keep = header.map((_, column) => rows.some((row) => (row[column] ?? "") !== ""));
  return [header.filter((_, column) => keep[column]), rows.map((row) => row.filter((_, column) => keep[column]))];
}

export function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** `1 service`, `3 services`. */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** No longer than `width`; `…` stands for what was left out. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

const mostListed = 5;

/** `a, b, c`; of many the first ones, and how many more. */
export function shortList(words: readonly string[]): string {
  if (words.length <= mostListed) return words.join(", ");
  return `${words.slice(0, mostListed - 1).join(", ")} and ${words.length - mostListed + 1} more`;
}
