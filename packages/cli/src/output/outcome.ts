import type { ChangeResult, DeploymentResult } from "@ctrlplane/core";
import type { NextStep } from "./next-step.ts";
import type { Paint } from "./paint.ts";
import { groupedBy, helpOf } from "./grouped.ts";
import { count, shortList } from "./table.ts";
import { elapsed } from "./time.ts";

/** Of which change a result is. `number` is absent where nothing was begun. */
export interface ChangeName {
  readonly command: string;
  readonly number?: number;
  /** --timeout ended it. */
  readonly timedOut?: boolean;
  /** What is removed loses its data: --volumes was given, and has to be given again. */
  readonly takesData?: boolean;
}

/** The last lines of an acting command: how it ended, and what to do next. */
export function renderOutcome(change: ChangeName, result: ChangeResult, paint: Paint, next: NextStep): string[] {
  const [sentence, ...more] = sentences(change, result, next);
  const tone = result.exitCode === 0 ? "good" : result.exitCode === 4 || result.exitCode === 130 ? "warn" : "bad";
  return [paint(tone, sentence), ...more];
}

function sentences(change: ChangeName, result: ChangeResult, next: NextStep): [string, ...string[]] {
  const name = change.number === undefined ? `pctl ${change.command}` : `Change #${change.number}`;
  const time = elapsed(result.elapsedMs);
  const code = `(exit ${result.exitCode})`;
  switch (result.outcome) {
    case "succeeded":
      return [
        [`${name} done in ${time}.`, ...(hasStarted(result) ? result.addresses : [])].join(" "),
        ...afterSuccess(change.command, result, next),
      ];
    case "unchanged":
      return [nothing(change.command, result)];
    case "reverted":
      return [reverted(name, time, result, code), ...withOthers(result)];
    case "failed":
      return [`${name} failed in ${time} ${code}.`, ...reasons(result, ["failed"])];
    case "attention":
      return [`${name} needs attention ${code}.`, ...attention(again(change), result, next)];
    case "interrupted":
      return [
        change.timedOut === true
          ? `${name} was stopped by --timeout after ${time}, between two steps ${code}.`
          : `${name} was interrupted after ${time} ${code}.`,
        `Next: ${next(again(change))} finishes or undoes what was begun.`,
      ];
  }
}

/** The command's words, to go on with. */
function again({ command, takesData }: ChangeName): string {
  return takesData === true ? `${command} --volumes` : command;
}

/** Where a change only took away, addresses of what else is there would look like its doing. */
function hasStarted(result: ChangeResult): boolean {
  return result.services.some((each) => each.outcome === "succeeded" && each.serving !== undefined);
}

function reverted(name: string, time: string, result: ChangeResult, code: string): string {
  const taken = result.services.filter((each) => each.outcome === "reverted");
  const failed = [...new Set(taken.filter((each) => each.because === undefined).map((each) => each.service))];
  const others = result.services.filter((each) => each.outcome !== "unchanged").length - taken.length;
  if (others === 0) return `${name} failed and was reverted in ${time} ${code}.`;
  const were = failed.length === 1 ? "was" : "were";
  const which = `${failed.length} of ${count(failed.length + others, "service")}`;
  return `${name}: ${which} failed and ${were} reverted in ${time} ${code}: ${shortList(failed)}.`;
}

/** Who succeeded, and went back with who failed; jobs that stay. */
function withOthers(result: ChangeResult): string[] {
  return result.services
    .filter((each) => each.because !== undefined || (each.outcome === "succeeded" && each.reason !== undefined))
    .map((each) => `  ${nameIn(result, each)}: ${each.reason ?? each.outcome}`);
}

/** With its provider where the service stands in the result more than once. */
function nameIn(result: ChangeResult, { service, provider }: DeploymentResult): string {
  const isSeveral = result.services.filter((each) => each.service === service).length > 1;
  return isSeveral ? `${service} on ${provider}` : service;
}

function nothing(command: string, result: ChangeResult): string {
  if (command === "destroy") return "Nothing to remove.";
  if (command !== "deploy") return "Nothing to change: it is so already.";
  return [`Nothing to change: ${count(result.services.length, "service")} as declared.`, ...result.addresses].join(" ");
}

function afterSuccess(command: string, result: ChangeResult, next: NextStep): string[] {
  if (command !== "deploy") return [];
  const [first] = result.services.filter((each) => each.outcome === "succeeded" && each.serving !== undefined);
  if (first === undefined) return [];
  return [`Next: ${[next("status"), next(`logs ${first.service} -f`), next("rollback")].join(" · ")}`];
}

function attention(command: string, result: ChangeResult, next: NextStep): string[] {
  const of = (outcome: DeploymentResult["outcome"]): readonly DeploymentResult[] =>
    result.services.filter((each) => each.outcome === outcome);
  const lines = [
    ...[...of("held"), ...of("paused"), ...of("failed"), ...of("skipped")].map(describe),
    ...unreachable(of("unreachable")),
  ];
  const held = of("held").map((each) => each.service);
  // A rollback takes back what holds data one by one, by name.
  if (command === "rollback") lines.push(...held.map((service) => `Next: ${next(`rollback ${service}`)}`));
  else if (held.length > 0)
    lines.push(`Next: ${next(`${command}${held.map((each) => ` --remove ${each}`).join("")}`)}`);
  for (const { service } of of("paused"))
    lines.push(`Next: ${[next("status"), next(`promote ${service}`), next(`abort ${service}`)].join(" · ")}`);
  if (of("unreachable").length > 0) lines.push(`Next: ${next("doctor")}`);
  return lines;
}

/** Each platform once, with all that it keeps back, and what to do about it. */
function unreachable(services: readonly DeploymentResult[]): string[] {
  const isNotBegun = ({ reason = "" }: DeploymentResult): boolean => reason.startsWith("not begun");
  const notBegun = services.filter(isNotBegun);
  const beyond = services.filter((each) => !isNotBegun(each));
  return [
    ...notBegun.map(({ service, provider, reason }) => `  ${service} on ${provider}: ${reason}`),
    ...groupedBy(beyond, ({ provider, reason }) => `${provider} ${reason}`).map(([first, ...more]) => {
      const { provider, reason = "no reason given", code } = first;
      const names = shortList([first, ...more].map(({ service }) => service));
      return `  ${names}: ${provider} cannot be reached${code === undefined ? "" : ` (${code})`}: ${reason}`;
    }),
    ...helpOf(beyond),
  ];
}

function reasons(result: ChangeResult, outcomes: readonly DeploymentResult["outcome"][]): string[] {
  return result.services.filter((each) => outcomes.includes(each.outcome) && each.reason !== undefined).map(describe);
}

function describe(each: DeploymentResult): string {
  return `  ${each.service}: ${each.reason ?? each.outcome}`;
}
