// `node --conditions=source scripts/conformance-page.ts`: runs the suite on our providers and writes docs/conformance.md anew.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRun, type BehaviourReport, type Outcome, type Report } from "@ctrlplane/conformance";
import { harness as reference } from "@ctrlplane/provider-reference/conformance";
import { harness as local } from "../packages/providers/local/src/conformance-harness.test.support.ts";
import { dockerHarness } from "../packages/providers/docker/src/conformance-harness.test.support.ts";
import { dockerDeviations } from "../test/conformance/docker-deviations.ts";
import { dockerSocket } from "../test/engines/docker.ts";

const pageFile = join(import.meta.dirname, "..", "docs", "conformance.md");

const introduction = `# What each provider does

Made by \`node --conditions=source scripts/conformance-page.ts\`, which runs \`@ctrlplane/conformance\` on each provider; the tests run it
again, and fail where a cell of this page is not what they saw. [Writing a provider](writing-a-provider.md#prove-it) says how to run it on yours.

\`holds\`: it was seen. \`deviates\`: it does something else, as said below the table. \`refused\`: the provider says beforehand that it
cannot. An empty cell: a capability that it does not declare.
`;

/** The page for these reports, which are of the same behaviours. */
export function pageOf(reports: readonly Report[]): string {
  const groups = Map.groupBy(reports[0]?.behaviours ?? [], (each) => each.group);
  return [
    introduction,
    table(
      ["provider", "proven by", "capabilities", "behaviours"],
      reports.map((each) => [each.provider, each.provenBy, each.capabilities.join(" "), countsOf(each)]),
    ),
    ...[...groups].flatMap(([name, behaviours]) => [
      `## ${name}\n`,
      table(
        ["behaviour", "promise", ...reports.map((each) => each.provider)],
        behaviours.map(({ id, intent }) => [`\`${id}\``, intent, ...reports.map((each) => cell(find(each, id)))]),
      ),
    ]),
    ...deviations(reports),
  ].join("\n");
}

/**
 * Where a report differs from what the page says of its provider: the page's lines with `-`, those that were seen with `+`; a line is
 * `{behaviour} {promise} {outcome}`.
 */
export function unlikePage(report: Report): readonly string[] {
  const said = new Set(columnOf(report.provider));
  const seen = new Set(report.behaviours.map((each) => `${each.id} ${each.intent} ${cell(each)}`));
  return [
    ...[...said.difference(seen)].map((each) => `- ${each}`),
    ...[...seen.difference(said)].map((each) => `+ ${each}`),
  ];
}

function columnOf(provider: string): readonly string[] {
  let column = -1;
  return readFileSync(pageFile, "utf8")
    .split("\n")
    .flatMap((line) => {
      const cells = line.split(" | ").map((each) => each.replace(/^\| | \|$/g, "").trim());
      if (cells[0] === "behaviour") column = cells.indexOf(provider);
      const id = /^`(.+)`$/.exec(cells[0] ?? "")?.[1];
      return id === undefined ? [] : `${id} ${cells[1] ?? ""} ${cells[column] ?? "?"}`;
    });
}

function cell(each: BehaviourReport | undefined): Outcome | "" {
  return each === undefined || each.outcome === "undeclared" ? "" : each.outcome;
}

function find(report: Report, id: string): BehaviourReport | undefined {
  return report.behaviours.find((each) => each.id === id);
}

function countsOf({ counts }: Report): string {
  return Object.entries(counts)
    .flatMap(([outcome, count]) => (count === 0 ? [] : [`${count} ${outcome}`]))
    .join(", ");
}

function deviations(reports: readonly Report[]): readonly string[] {
  const lines = reports.flatMap((report) =>
    report.behaviours.flatMap(({ id, outcome, deviation, problem }) => {
      if (outcome === "refused") return `- ${report.provider}, \`${id}\`: ${problem ?? ""}`;
      return deviation === undefined
        ? []
        : `- ${report.provider}, \`${id}\`: ${deviation.reason} Instead: ${deviation.instead}`;
    }),
  );
  return lines.length === 0 ? [] : ["## Deviations and refusals\n", `${lines.join("\n")}\n`];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((each, index) => Math.max(each.length, ...rows.map((row) => (row[index] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((each, index) => each.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return `${[line(head), rule, ...rows.map(line)].join("\n")}\n`;
}

if (import.meta.main) {
  const reports: Report[] = [];
  const socket = await dockerSocket();
  if (socket === undefined) throw new Error("no Docker Engine answers: bring one up (test/engines/docker.ts up)");
  for (const make of [reference, local]) reports.push(await startRun({ harness: await make() }).report);
  const docker = await dockerHarness({ kind: "socket", path: socket }, "127.0.0.1");
  reports.push(await startRun({ harness: docker, deviations: dockerDeviations }).report);
  writeFileSync(pageFile, pageOf(reports));
}
