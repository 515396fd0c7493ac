import { describeDiagnostic, type Diagnostic } from "@ctrlplane/core";
import type { Paint, Tone } from "./paint.ts";
import { count } from "./table.ts";

const tones: Readonly<Record<Diagnostic["severity"], Tone>> = { error: "bad", warning: "warn", info: "dim" };

/** Text of a source file; undefined where it cannot be read. */
export type ReadSource = (path: string) => string | undefined;

/** Each with its position, the line it stands on, and what to do. Errors last, where the eye is. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], paint: Paint, readSource: ReadSource): string[] {
  const rank = { info: 0, warning: 1, error: 2 };
  return [...diagnostics]
    .sort((a, b) => rank[a.severity] - rank[b.severity])
    .flatMap((each) => renderDiagnostic(each, paint, readSource));
}

export function renderDiagnostic(each: Diagnostic, paint: Paint, readSource: ReadSource): string[] {
  const [first = "", ...more] = describeDiagnostic(each).split("\n");
  const lines = [
    `${paint(tones[each.severity], each.severity)}: ${paint("strong", first)}`,
    ...more.map((line) => `  ${line}`),
  ];
  lines.push(...excerpt(each, paint, readSource));
  if (each.detail !== undefined) lines.push(...each.detail.split("\n").map((line) => `  ${line}`));
  if (each.hint !== undefined) lines.push(`  ${paint("change", "help")}: ${each.hint}`);
  return lines;
}

/** `2 errors, 1 warning`. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const of = (severity: Diagnostic["severity"]): number =>
    diagnostics.filter((each) => each.severity === severity).length;
  const parts = [
    [of("error"), "error"],
    [of("warning"), "warning"],
  ] as const;
  return parts
    .filter(([number]) => number > 0)
    .map(([number, word]) => count(number, word))
    .join(", ");
}

function excerpt(each: Diagnostic, paint: Paint, readSource: ReadSource): string[] {
  if (each.path === undefined || each.range === undefined) return [];
  const { start, end } = each.range;
  const line = readSource(each.path)?.split(/\r?\n/)[start.line - 1];
  if (line === undefined || line.trim() === "") return [];
  // Tabs and long lines would move the caret away from what it points at.
  const from = Math.max(0, start.column - 61);
  const shown = line.slice(from, from + 120).replaceAll("\t", " ");
  const column = start.column - 1 - from;
  const last = end.line === start.line ? end.column - 1 - from : shown.length;
  const carets = "^".repeat(Math.max(1, Math.min(last, shown.length) - column));
  const number = String(start.line);
  return [
    `  ${paint("dim", `${number} |`)} ${shown}`,
    `  ${" ".repeat(number.length)} ${paint("dim", "|")} ${" ".repeat(Math.max(0, column))}${paint(tones[each.severity], carets)}`,
  ];
}
