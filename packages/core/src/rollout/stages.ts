import type { StrategySpec } from "../model/spec.ts";
import type { RolloutDecision } from "./journal.ts";

/** What a step of blue_green or canary is to reach. */
export interface Stage {
  /** 1, 2, 3 …; the last one is the whole release, and no pause follows it. */
  readonly step: number;
  /** The new revision's percent of the traffic; 0: it runs, and the routes stay as they were. */
  readonly weight: number;
  /** Replicas of the new revision. */
  readonly replicas: number;
}

/** Canary: a stage for each of its steps, with replicas for that share. blue_green: all replicas, unrouted. Then the whole. */
export function stagesOf(strategy: StrategySpec, replicas: number): readonly Stage[] {
  const before =
    strategy.type === "blue_green"
      ? [{ weight: 0, replicas }]
      : strategy.steps.map((weight) => ({ weight, replicas: Math.max(1, Math.ceil((weight / 100) * replicas)) }));
  return [...before, { weight: 100, replicas }].map((each, index) => ({ step: index + 1, ...each }));
}

/** Where a journal says that a rollout stands. */
export interface Standing {
  /** The step to reach now, or the one at which it is paused. */
  readonly step: number;
  /** Set while it is paused there; `until` is absent where it waits for a person. */
  readonly pause?: Extract<RolloutDecision, { readonly kind: "pause" }>;
  /** It was promoted past all pauses. */
  readonly isFull: boolean;
  /** The pause before `step` is over: what was reached then is judged before anything else. */
  readonly isGoingOn: boolean;
}

/** `now` in milliseconds since the epoch. Pure. */
export function standingOf(decisions: readonly RolloutDecision[], now: number): Standing {
  const isFull = decisions.some((each) => each.kind === "promote" && each.full === true);
  const last = decisions.findLast((each) => each.kind === "step" || each.kind === "pause" || each.kind === "promote");
  if (last === undefined) return { step: 1, isFull, isGoingOn: false };
  if (last.kind === "step") return { step: last.step, isFull, isGoingOn: false };
  const pause = decisions.findLast((each) => each.kind === "pause");
  if (pause === undefined) return { step: 1, isFull, isGoingOn: false };
  const isOver = last.kind === "promote" || (pause.until !== undefined && Date.parse(pause.until) <= now);
  return isOver
    ? { step: pause.step + 1, isFull, isGoingOn: true }
    : { step: pause.step, pause, isFull, isGoingOn: false };
}

/** The pause that a rollout stands at, whether or not its time is over; undefined where it goes on or back. */
export function pauseOf(decisions: readonly RolloutDecision[]): Standing["pause"] {
  if (decisions.some((each) => each.kind === "revert" || each.kind === "abort")) return undefined;
  return standingOf(decisions, Number.NEGATIVE_INFINITY).pause;
}

/** For what served before, or serves already, and needs no comparison: canary is rolling, and blue_green does not wait. */
export function withoutPauses(strategy: StrategySpec): StrategySpec {
  if (strategy.type === "canary") return { ...strategy, type: "rolling" };
  return strategy.type === "blue_green" ? { ...strategy, pause: { ms: 0 } } : strategy;
}
