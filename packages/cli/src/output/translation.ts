import type { Diagnostic } from "@ctrlplane/core";
import type { Translation } from "../compose/translate.ts";
import type { Paint, Tone } from "./paint.ts";
import { count } from "./table.ts";

/** What has no counterpart and what differs, each with its place and what to do. */
export function renderTranslation(
  { notes, required, services }: Translation,
  from: string,
  written: string,
  paint: Paint,
): string[] {
  const left = notes.filter((each) => each.severity === "warning");
  const other = notes.filter((each) => each.severity !== "warning");
  return [
    `${from}: ${count(services.length, "service")}, written to ${written}.`,
    ...section(`${count(left.length, "thing")} left out`, left, "warn", paint),
    ...section(`${count(other.length, "thing")} not quite the same`, other, "dim", paint),
    "",
    ...(notes.length === 0 ? [] : [`All of this stands in ${written}, too.`]),
    ...(required.length === 0 ? [] : [`To be set before a deploy, in the environment or .env: ${required.join(", ")}`]),
  ];
}

function section(title: string, notes: readonly Diagnostic[], tone: Tone, paint: Paint): string[] {
  if (notes.length === 0) return [];
  const lines = notes.flatMap(({ path = "", range, summary, hint }) => {
    const at = range === undefined ? "" : `:${range.start.line}:${range.start.column}`;
    return [`  ${paint("dim", `${path}${at}`)}  ${summary}`, ...(hint === undefined ? [] : [`      ${hint}`])];
  });
  return ["", paint(tone, `${title}:`), ...lines];
}
