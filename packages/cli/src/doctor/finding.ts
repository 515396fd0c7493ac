import type { Paint } from "../output/paint.ts";

/** What one look of `doctor` found. */
export interface Finding {
  /** What was looked at, one word: `node`, `disk`. */
  readonly subject: string;
  readonly state: "good" | "warn" | "bad";
  /** One line. */
  readonly text: string;
  /** What to do. */
  readonly hint?: string;
}

const signs = { good: "✓", warn: "!", bad: "✗" } as const;

export function renderFindings(findings: readonly Finding[], paint: Paint): string[] {
  const width = Math.max(...findings.map((each) => each.subject.length));
  return findings.flatMap((each) => {
    const line = `${paint(each.state, signs[each.state])} ${each.subject.padEnd(width)}  ${each.text}`;
    return each.hint === undefined ? [line] : [line, `  ${" ".repeat(width)}  ${each.hint}`];
  });
}
