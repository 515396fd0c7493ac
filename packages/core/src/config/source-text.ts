import { LineCounter } from "yaml";
import type { SourceRange } from "../errors/diagnostic.ts";

/** Offsets of the first character and of the one behind the last. */
export type Span = readonly [from: number, to: number, ...rest: readonly number[]];

/** What this package shows of the parser's table of lines: its declarations name no package of others. */
interface LineTable {
  lineStarts: number[];
  addNewLine(this: void, offset: number): number;
  linePos(this: void, offset: number): { line: number; col: number };
}

/** The text of the file. Of most spans nobody ever asks the lines, so they are counted only then. */
export class SourceText {
  readonly text: string;
  /** The parser notes here where lines begin. */
  readonly lines: LineTable = new LineCounter();

  constructor(text: string) {
    this.text = text;
  }

  range([from, to]: Span): SourceRange {
    const [start, end] = [this.lines.linePos(from), this.lines.linePos(to)];
    return { start: { line: start.line, column: start.col }, end: { line: end.line, column: end.col } };
  }

  /** Where a piece of a scalar stands; undefined where the scalar spells it otherwise (escapes, folded lines). */
  rangeWithin([from, to]: Span, piece: string): SourceRange | undefined {
    const index = this.text.slice(from, to).indexOf(piece);
    return index < 0 ? undefined : this.range([from + index, from + index + piece.length]);
  }
}
