import type { SourceRange } from "../errors/diagnostic.ts";
import type { Mark } from "./tree.ts";

/** Where a piece of a scalar stands in the file; undefined where the scalar spells it otherwise (escapes, folded lines). */
export function rangeWithin(mark: Mark | undefined, piece: string): SourceRange | undefined {
  if (mark?.source === undefined || mark.value === undefined) return undefined;
  const index = mark.source.indexOf(piece);
  if (index < 0) return undefined;
  const start = advance(mark.value.start, mark.source.slice(0, index));
  return { start, end: advance(start, piece) };
}

function advance(from: { line: number; column: number }, text: string): { line: number; column: number } {
  const lines = text.split("\n");
  const last = lines.at(-1) ?? "";
  return lines.length === 1
    ? { line: from.line, column: from.column + last.length }
    : { line: from.line + lines.length - 1, column: last.length + 1 };
}
