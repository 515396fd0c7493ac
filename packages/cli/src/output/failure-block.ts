import type { FailureDetail } from "@ctrlplane/core";
import type { NextStep } from "./next-step.ts";
import type { Paint } from "./paint.ts";
import { cut } from "./table.ts";
import { elapsed } from "./time.ts";

/** Longer lines are cut here; `pctl logs` has all of them. */
const widestLogLine = 240;

/** What is known of a service that failed in a change. */
export interface ServiceFailure {
  readonly service: string;
  /** `pctl.yaml:21:3`, where the service stands. */
  readonly position?: string;
  readonly provider?: string;
  readonly release?: number;
  readonly change?: number;
  /** Why, in a few words: `ended before port 3000 opened`. */
  readonly reason: string;
  readonly hint?: string;
  readonly detail: Partial<FailureDetail>;
  readonly elapsedMs?: number;
  /** False where it failed before anything of the release ran: there are no logs of it. */
  readonly isBegun?: boolean;
}

/** All that somebody needs who reads only this: what, where, how it ended, what it said, what to type. */
export function renderFailure(failure: ServiceFailure, paint: Paint, next: NextStep): string[] {
  const { detail, service, release, change } = failure;
  const what = release === undefined ? service : `${service} release ${release}`;
  const head = `${failure.position === undefined ? "" : `${failure.position}: `}${what} ${reasonOf(failure)}`;
  const where = [failure.provider, detail.replica].filter((each) => each !== undefined);
  const rows: [string, readonly string[]][] = [
    ["where", where.length === 0 ? [] : [where.join(", ")]],
    ["exit", exitLine(failure)],
    ["log", (detail.logTail ?? []).map((line) => cut(line, widestLogLine))],
    ["next", nextLines(service, failure.isBegun === false ? {} : { release, change }, failure.hint, next)],
  ];
  const lines = rows.flatMap(([label, texts]) =>
    texts.map((line, index) => `  ${paint("dim", (index === 0 ? label : "").padEnd(5))}  ${line}`.trimEnd()),
  );
  return [paint("bad", head), ...lines];
}

/** Without the replica's name before it: that stands in its own line. */
function reasonOf({ reason, detail }: ServiceFailure): string {
  const start = `${detail.replica ?? ""} `;
  return start !== " " && reason.startsWith(start) ? reason.slice(start.length) : reason;
}

function exitLine({ detail, elapsedMs }: ServiceFailure): string[] {
  const parts: string[] = [];
  if (detail.signal !== undefined && detail.signal !== null) parts.push(`signal ${detail.signal}`);
  else if (detail.exitCode !== undefined && detail.exitCode !== null) parts.push(`code ${detail.exitCode}`);
  if (detail.starts !== undefined) {
    const during = elapsedMs === undefined ? "" : ` in ${elapsed(elapsedMs)}`;
    parts.push(`${detail.starts} ${detail.starts === 1 ? "start" : "starts"}${during}`);
  }
  return parts.length === 0 ? [] : [parts.join(", ")];
}

function nextLines(
  service: string,
  { release, change }: { readonly release?: number | undefined; readonly change?: number | undefined },
  hint: string | undefined,
  next: NextStep,
): string[] {
  const steps: [string, string][] = [];
  if (change !== undefined) steps.push([next(`logs ${service} --change ${change}`), "everything it printed"]);
  if (release !== undefined) steps.push([next(`run ${service} --release ${release}`, "sh"), "look inside"]);
  const width = Math.max(0, ...steps.map(([command]) => command.length));
  const lines = steps.map(([command, meaning]) => `${command.padEnd(width)}    ${meaning}`);
  const known = [...(hint === undefined ? [] : [hint]), ...lines];
  return [...known, `${known.length === 0 ? "" : "or "}fix it, then ${next("deploy")}`];
}
