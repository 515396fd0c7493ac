import type { Change, InstanceState, ProviderStatus, ReleaseSummary } from "@ctrlplane/core";
import { helpOf } from "./grouped.ts";
import { runState, runTones } from "./job.ts";
import type { NextStep } from "./next-step.ts";
import type { Paint, Tone } from "./paint.ts";
import { fullColumns, table } from "./table.ts";
import { ago, elapsed, moment } from "./time.ts";

export interface HistoryView {
  readonly paint: Paint;
  readonly next: NextStep;
  readonly nowMs: number;
  /** Number of the change that goes on now. */
  readonly running?: number;
}

/** Changes, newest first, and the releases that can be gone back to. */
export function renderHistory(
  changes: readonly Change[],
  releases: readonly ReleaseSummary[],
  view: HistoryView,
): string[] {
  if (changes.length === 0 && releases.length === 0)
    return [`Nothing yet. ${view.next("deploy")} makes the first change.`];
  const lines: string[] = [];
  if (changes.length > 0) {
    const rows = changes.map((each) => changeRow(each, view));
    lines.push(
      ...table(...fullColumns(["CHANGE", "WHEN", "COMMAND", "OUTCOME", "TOOK", "BY", "COMMIT", "MESSAGE"], rows)),
    );
  }
  if (releases.length > 0) {
    const rows = releases.map((each) => releaseRow(each, isOnSeveral(releases, each.service), view));
    if (lines.length > 0) lines.push("");
    lines.push(...table(...fullColumns(["SERVICE", "RELEASE", "CHANGE", "WHEN", "IMAGE", "COMMIT", ""], rows)));
  }
  return lines;
}

/** What the list does not show. */
export function renderOutOfReach(providers: readonly ProviderStatus[], { paint }: HistoryView): string[] {
  if (providers.length === 0) return [];
  const lines = providers.map(
    ({ name, problem }) =>
      `${paint("warn", "unreachable")}: ${name}: ${problem?.message ?? ""}; what was changed there alone is not listed`,
  );
  return ["", ...lines, ...helpOf(providers.map(({ problem }) => problem ?? {}))];
}

/** `Change #42: deploy by ci on runner-7, 2026-11-22 03:14:02, commit a1b2c3d: new checkout`. */
export function renderChangeHead(change: Change, paint: Paint): string[] {
  const commit = change.commit === undefined ? "" : `, commit ${change.commit.slice(0, 7)}`;
  const message = change.message === undefined ? "" : `: ${change.message}`;
  return [
    `${paint("strong", `Change #${change.number}`)}: ${change.command} by ${change.by} on ${change.host}, ${moment(change.startedAt)}${commit}${message}`,
  ];
}

/** Instead of an outcome, of a change that has none. */
export function renderUnfinished({ number }: Change, isRunning: boolean, { paint, next }: HistoryView): string[] {
  if (isRunning) return [paint("warn", `Change #${number} is still going on.`)];
  return [
    paint("warn", `Change #${number} never finished: pctl was killed, or lost its connection.`),
    `The next change went on from there, or will: ${next("status")} shows what is left to do.`,
  ];
}

function changeRow(change: Change, { paint, nowMs, running }: HistoryView): string[] {
  const { result } = change;
  const tone: Tone = result === undefined ? "warn" : result.exitCode === 0 ? "good" : "bad";
  return [
    `#${change.number}`,
    ago(change.startedAt, nowMs),
    change.command,
    paint(tone, result?.outcome ?? (change.number === running ? "running" : "never finished")),
    result === undefined ? "" : elapsed(result.elapsedMs),
    change.by,
    change.commit?.slice(0, 7) ?? "",
    change.message ?? "",
  ];
}

function isOnSeveral(releases: readonly ReleaseSummary[], service: string): boolean {
  return new Set(releases.filter((each) => each.service === service).map((each) => each.provider)).size > 1;
}

const stateWords: Partial<Record<InstanceState, string>> = { serving: "serves", degraded: "serves, degraded" };

function releaseRow(release: ReleaseSummary, isSeveral: boolean, { paint, nowMs }: HistoryView): string[] {
  return [
    isSeveral ? `${release.service}@${release.provider}` : release.service,
    String(release.number),
    `#${release.change}`,
    ago(release.createdAt, nowMs),
    release.image,
    release.commit?.slice(0, 7) ?? "",
    stateText(release, paint),
  ];
}

function stateText({ state, run, serving }: ReleaseSummary, paint: Paint): string {
  if (run !== undefined) return paint(runTones[run.outcome], runState(run));
  return state === undefined ? "" : paint(serving ? "good" : "warn", stateWords[state] ?? state);
}
