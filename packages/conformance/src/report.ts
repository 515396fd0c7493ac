/** How a behaviour came out. */
export type Outcome =
  | "holds"
  | "fails"
  /** Fails, as declared. */
  | "deviates"
  /** Declared as a deviation, and holds: the declaration has to go. */
  | "stale"
  /** The platform has none of it, or `check` refuses it, and no declared capability promises it. */
  | "refused"
  /** A capability that it needs is not declared. */
  | "undeclared";

export interface Deviation {
  readonly reason: string;
  /** What happens instead. */
  readonly instead: string;
}

/** By id of the behaviour. */
export type Deviations = Readonly<Record<string, Deviation>>;

export interface BehaviourReport {
  readonly id: string;
  readonly group: string;
  readonly intent: string;
  readonly outcome: Outcome;
  readonly elapsedMs: number;
  /** Why it fails, deviates or is refused. */
  readonly problem?: string;
  readonly deviation?: Deviation;
}

/** What came of a run, as JSON. */
export interface Report {
  readonly v: 1;
  readonly provider: string;
  readonly provenBy: string;
  readonly capabilities: readonly string[];
  /** Nothing failed, and no deviation is stale. */
  readonly isConforming: boolean;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly behaviours: readonly BehaviourReport[];
}

export function isBad({ outcome }: Pick<BehaviourReport, "outcome">): boolean {
  return outcome === "fails" || outcome === "stale";
}

export function reportOf(
  of: Pick<Report, "provider" | "provenBy" | "capabilities">,
  behaviours: readonly BehaviourReport[],
): Report {
  const counts = { holds: 0, fails: 0, deviates: 0, stale: 0, refused: 0, undeclared: 0 };
  for (const each of behaviours) counts[each.outcome] += 1;
  const { provider, provenBy, capabilities } = of;
  return { v: 1, provider, provenBy, capabilities, isConforming: !behaviours.some(isBad), counts, behaviours };
}
