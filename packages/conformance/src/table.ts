import { isBad, type BehaviourReport, type Outcome, type Report } from "./report.ts";

const marks: Readonly<Record<Outcome, string>> = {
  holds: "✓",
  fails: "✗",
  deviates: "~",
  stale: "!",
  refused: "-",
  undeclared: " ",
};

/** A report for people: a line for each behaviour, then what has to be done, then the counts. */
export function tableOf(report: Report): string {
  const width = Math.max(...report.behaviours.map((each) => each.id.length));
  const lines = report.behaviours.map(
    (each) =>
      `${marks[each.outcome]} ${each.id.padEnd(width)}  ${each.outcome.padEnd(10)} ${String(Math.round(each.elapsedMs)).padStart(6)} ms`,
  );
  const problems = report.behaviours.filter(isBad).flatMap((each) => ["", ...problemOf(each)]);
  return [...lines, ...problems, "", summaryOf(report)].join("\n");
}

/** e.g. `local: 118 hold, 2 deviate, 1 refused` */
export function summaryOf({ provider, provenBy, counts, behaviours }: Report): string {
  const told = Object.entries(counts).flatMap(([outcome, count]) => (count === 0 ? [] : [`${count} ${outcome}`]));
  return `${provider} (${provenBy}), ${behaviours.length} behaviours: ${told.join(", ")}`;
}

export function problemOf({ id, intent, outcome, problem, deviation }: BehaviourReport): readonly string[] {
  if (outcome === "stale") {
    return [
      `! ${id}: ${intent}`,
      `  It holds. It is declared as a deviation (${deviation?.reason ?? ""}): remove the declaration.`,
    ];
  }
  return [`✗ ${id}: ${intent}`, ...(problem ?? "").split("\n").map((line) => `  ${line}`)];
}
