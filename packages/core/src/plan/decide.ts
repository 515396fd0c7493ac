import { isEqualCount } from "../model/resources.ts";
import type { ObservedInstance, SettledRelease } from "../model/observed.ts";
import type { ActionKind, Cause, FieldChange, PlanAction } from "../model/plan.ts";
import { describeDesired, describeReplicas, type VolumesOf } from "./describe.ts";
import { drifts } from "./drift.ts";
import { fieldChanges } from "./field-changes.ts";
import { actionKey, type DesiredInstance, type KnownInstance, type PlanInput } from "./input.ts";
import { adoptionNotes, adoptionOf, isLegacyEntry, isUnchangedLegacy } from "./legacy.ts";
import { judgeOwnership } from "./ownership.ts";
import { ownRemains } from "./remains.ts";
import { describePause, isWaiting, isWhole, resumeNote } from "./pause.ts";

/** What is decided about one instance; the plan adds order. */
export interface Decision {
  readonly kind: ActionKind;
  readonly causes: readonly Cause[];
  readonly changes: readonly FieldChange[];
  readonly notes: readonly string[];
  readonly from?: number;
  /** Absent where no new release is made: kept, resumed, or an old one restored. */
  readonly release?: number;
}

/** Decides from what is wanted and what is known, without I/O. */
export function decide(desired: DesiredInstance, known: KnownInstance, input: PlanInput): PlanAction {
  const decision = decideKind(desired, known, input);
  const left = new Set(ownRemains(known, input)?.volumes);
  const existing = new Set([...left, ...(known.observed?.volumes ?? [])]);
  const volumes = desired.volumes.filter((name) => !existing.has(name));
  const isActed = decision.kind !== "keep" && decision.kind !== "pause" && decision.kind !== "hold";
  const adopts = isActed ? adoptionOf(known, input) : undefined;
  return {
    key: actionKey(desired.instance),
    kind: decision.kind,
    instance: desired.instance,
    causes: decision.causes,
    changes: decision.changes,
    after: [],
    image: desired.image,
    specHash: desired.specHash,
    strategy: desired.spec.strategy.type,
    ...(decision.from === undefined ? {} : { from: decision.from }),
    ...(decision.release === undefined ? {} : { release: decision.release }),
    ...(adopts === undefined ? {} : { adopts }),
    volumes,
    publishes: desired.publishes,
    notes: [...decision.notes, ...(decision.kind === "keep" || decision.kind === "pause" ? [] : desired.notes)],
    summary: summarize(desired, known, decision, {
      made: volumes,
      left: desired.volumes.filter((name) => left.has(name)),
    }),
  };
}

function summarize(desired: DesiredInstance, known: KnownInstance, decision: Decision, volumes: VolumesOf): string {
  if (decision.kind === "keep") return "unchanged, skipping";
  if (decision.kind === "pause") return describePause(decision.release, known.unfinished?.pause);
  if (decision.kind === "resume") return `goes on with release ${decision.release ?? "?"}, begun and not finished`;
  return describeDesired(desired, volumes);
}

function decideKind(desired: DesiredInstance, known: KnownInstance, input: PlanInput): Decision {
  const next = Math.max(0, ...known.releases, known.observed?.settled?.number ?? 0) + 1;
  const foreign = judgeForeign(known, input);
  if (foreign !== undefined) return foreign;
  // A removal that did not finish needs no way back: what is wanted now is built on whatever it left.
  if (known.unfinished?.to !== undefined) return decideUnfinished(desired, known, known.unfinished, next, input.now);
  const observed = known.observed;
  const isKept = isUnchangedLegacy(desired, known) && known.unfinished === undefined && !input.adopt;
  if (isKept) return { kind: "keep", causes: [], changes: [], notes: [] };
  if (observed === undefined) return decideAbsent(desired, known, next);
  // The rest of a first release that failed: volumes and logs.
  const isEmpty =
    observed.settled === undefined &&
    observed.isLegacy !== true &&
    observed.revisions.every((each) => each.desired === 0);
  if (isEmpty && known.entry?.fingerprint === undefined) return decideAbsent(desired, known, next);
  if (observed.settled === undefined) return decideUnsettled(desired, known, next);
  const decision = decideSettled(desired, known, observed, observed.settled, next);
  return recordAnew(endRemoval(decision, known), known, observed.settled, next);
}

/** What serves and is on no record can be neither rolled back to, scaled nor restarted: that it serves is recorded again. */
function recordAnew(decision: Decision, known: KnownInstance, settled: SettledRelease, next: number): Decision {
  if (known.isUnrecorded !== true) return decision;
  const notes = [`the record of release ${settled.number} was removed from the platform: its history begins anew`];
  if (decision.release !== undefined) return { ...decision, notes: [...decision.notes, ...notes] };
  const causes = new Set<Cause>([...decision.causes, "recovery"]);
  return { ...decision, kind: "configure", causes: [...causes], notes: [...decision.notes, ...notes], release: next };
}

/** What is kept as it is carries nothing out, and the intent to remove it would stay: a later command took that for confirmed. */
function endRemoval(decision: Decision, { unfinished }: KnownInstance): Decision {
  if (decision.kind !== "keep" || unfinished === undefined) return decision;
  const notes = [`its removal by change #${unfinished.change} did not finish, and it is wanted`];
  return { ...decision, kind: "configure", causes: ["recovery"], notes };
}

function judgeForeign(known: KnownInstance, input: PlanInput): Decision | undefined {
  if (known.observed === undefined) return undefined;
  const { stack, name } = known.instance;
  const ownership = judgeOwnership(known.observed.labels, { stack, name, lineage: input.lineage });
  if (ownership === "ours") return undefined;
  const isNamed = known.entry !== undefined && known.entry.destroyed !== true;
  if (ownership === "adoptable" && (isNamed || input.adopt)) return undefined;
  return { kind: "hold", causes: ["foreign"], changes: [], notes: [] };
}

/** Forward where the same target is still wanted and no way back was begun; else back first, then what is wanted now. */
function decideUnfinished(
  desired: DesiredInstance,
  known: KnownInstance,
  unfinished: NonNullable<KnownInstance["unfinished"]>,
  next: number,
  now: number,
): Decision {
  const base = { causes: ["recovery"] as const, changes: [] };
  const from = unfinished.from === undefined ? {} : { from: unfinished.from };
  const isWanted = known.unfinishedSpecHash === desired.specHash;
  const { pause } = unfinished;
  const release = unfinished.to === undefined ? {} : { release: unfinished.to };
  if (isWanted && pause !== undefined && isWaiting(pause, now) && isWhole(known))
    return { ...base, kind: "pause", notes: [], ...from, ...release };
  if (isWanted && !unfinished.isReverting) {
    const notes = [resumeNote(unfinished, now)];
    return {
      ...base,
      kind: "resume",
      notes,
      ...from,
      ...release,
    };
  }
  const back = unfinished.from === undefined ? "is taken away" : `goes back to release ${unfinished.from}`;
  const what =
    pause === undefined
      ? `change #${unfinished.change} did not finish`
      : `release ${unfinished.to}, paused at step ${pause.step} by change #${unfinished.change}, is aborted`;
  const notes = [`${what}; ${known.instance.service} ${back} first`];
  return { ...base, kind: "revert", notes, ...from, release: next };
}

function decideAbsent(desired: DesiredInstance, known: KnownInstance, next: number): Decision {
  const isRecorded = known.entry !== undefined && known.entry.destroyed !== true;
  if (!isRecorded) return { kind: "create", causes: ["new"], changes: [], notes: [], release: next };
  const notes = ["is recorded and no longer there"];
  const from = known.entry?.release === undefined ? {} : { from: known.entry.release };
  return { kind: "create", causes: ["missing"], changes: [], notes, release: next, ...from };
}

/** Nothing was ever settled: pctl 1.1's, or the rest of a first deploy without a ledger. */
function decideUnsettled(desired: DesiredInstance, known: KnownInstance, next: number): Decision {
  const { entry } = known;
  const isDeclared =
    isLegacyEntry(entry) && entry.fingerprint !== undefined && entry.fingerprint === desired.fingerprint;
  const cause = isUnchangedLegacy(desired, known)
    ? "adopted"
    : isDeclared || entry === undefined
      ? "drift"
      : "configuration";
  return { kind: "update", causes: [cause], changes: [], notes: adoptionNotes(desired, known), release: next };
}

function decideSettled(
  desired: DesiredInstance,
  known: KnownInstance,
  observed: ObservedInstance,
  settled: SettledRelease,
  next: number,
): Decision {
  const override = overrides(desired, observed, settled);
  const drift = drifts(desired, observed, settled);
  const causes = new Set<Cause>([...override, ...drift].map((change) => change.cause));
  if (settled.specHash === desired.specHash) {
    const changes = [...override, ...drift];
    if (changes.length === 0) return { kind: "keep", causes: [], changes, notes: [], from: settled.number };
    return {
      kind: "configure",
      causes: [...causes],
      changes,
      notes: overrideNotes(observed, settled, override),
      from: settled.number,
    };
  }
  const declared = known.served === undefined ? [] : fieldChanges(known.served, desired);
  for (const change of declared) causes.add(change.cause);
  if (declared.length === 0) causes.add("configuration");
  return {
    kind: settled.replicaHash === desired.revision.replicaHash ? "configure" : "update",
    causes: [...causes],
    changes: [
      ...declared,
      ...override.filter((change) => !declared.some((other) => other.path === change.path)),
      ...drift,
    ],
    notes: [...overrideNotes(observed, settled, override), ...rolledBackNotes(known), ...maskedNotes(known, settled)],
    from: settled.number,
    release: next,
  };
}

/** What an operator set by hand, and the file takes back. */
function overrides(desired: DesiredInstance, observed: ObservedInstance, settled: SettledRelease): FieldChange[] {
  const changes: FieldChange[] = [];
  if (observed.stopped) changes.push({ path: "state", before: "stopped", after: "running", cause: "override" });
  const wanted = desired.spec.scale.replicas;
  if (settled.scaledBy !== undefined && !isEqualCount(settled.replicas, wanted)) {
    changes.push({
      path: "scale.replicas",
      before: describeReplicas(settled.replicas),
      after: describeReplicas(wanted),
      cause: "override",
    });
  }
  return changes;
}

function overrideNotes(observed: ObservedInstance, settled: SettledRelease, changes: readonly FieldChange[]): string[] {
  return changes.map(({ path }) => {
    if (path === "state") return "was stopped by hand, and starts again";
    const by = settled.scaledBy;
    const who = by === undefined ? "" : ` by ${by.by} with change #${by.change}`;
    return `takes back the manual scale of ${describeReplicas(settled.replicas)}${who}`;
  });
}

function rolledBackNotes(known: KnownInstance): string[] {
  if (known.rolledBack === undefined) return [];
  const { release, change } = known.rolledBack;
  return [`this is the source of release ${release}, which change #${change} rolled back`];
}

function maskedNotes(known: KnownInstance, settled: SettledRelease): string[] {
  if (known.isServedMasked !== true) return [];
  return [
    `release ${settled.number} was sealed with another key: its environment cannot be compared, nor brought back if this fails`,
  ];
}
