import type { RolloutJournal } from "./journal.ts";
import { standingOf } from "./stages.ts";

/**
 * Writes down what a person decided about a paused rollout. What was decided before is not decided again, and what is not
 * paused needs no `promote`: the call after this one goes on in any case. Nothing follows an `abort`.
 */
export async function decideAdvance(journal: RolloutJournal, to: "promote" | "abort", full: boolean): Promise<void> {
  const { decisions } = journal;
  if (decisions.some((each) => each.kind === "abort" || each.kind === "revert")) return;
  if (to === "abort") return journal.decide({ kind: "abort" });
  // Without a time of day: whether a timed pause is over makes no difference to what is decided.
  const { pause, isFull } = standingOf(decisions, Number.NEGATIVE_INFINITY);
  if (full && !isFull) await journal.decide({ kind: "promote", full: true });
  else if (pause !== undefined) await journal.decide({ kind: "promote" });
}
