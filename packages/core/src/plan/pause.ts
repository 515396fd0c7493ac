import { revisionKey } from "../model/release.ts";
import type { DeploymentPause, KnownInstance } from "./input.ts";

/** `release 6 is paused at step 1 until 2026-11-22 03:14 UTC`. */
export function describePause(release: number | undefined, pause: DeploymentPause | undefined): string {
  const until = pause?.until === undefined ? "" : ` until ${pause.until.slice(0, 19).replace("T", " ")} UTC`;
  return `release ${release ?? "?"} is paused at step ${pause?.step ?? "?"}${until}`;
}

export function isWaiting({ until }: DeploymentPause, now: number): boolean {
  return until === undefined || Date.parse(until) > now;
}

/** All that the paused revision should have is ready, and was so all the time. What ended meanwhile is for the rollout to judge. */
export function isWhole({ observed, unfinished }: KnownInstance): boolean {
  const { settled, revisions } = observed ?? { settled: undefined, revisions: [] };
  const others = revisions.filter((each) => settled === undefined || revisionKey(each) !== revisionKey(settled));
  const before = unfinished?.pause?.restarts ?? Infinity;
  return others.length > 0 && others.every((each) => each.ready >= each.desired && (each.restarts ?? 0) <= before);
}

export function resumeNote({ change, to, pause }: NonNullable<KnownInstance["unfinished"]>, now: number): string {
  if (pause === undefined) return `change #${change} did not finish; release ${to} is still wanted`;
  return isWaiting(pause, now)
    ? `replicas of release ${to} ended while it was paused at step ${pause.step}`
    : `release ${to} was paused at step ${pause.step}, and its time is over`;
}
