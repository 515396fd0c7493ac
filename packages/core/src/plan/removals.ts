import type { PlanAction } from "../model/plan.ts";
import { actionKey, type KnownInstance, type PlanInput } from "./input.ts";
import { judgeOwnership } from "./ownership.ts";

/** What exists of this stack and is not wanted any more. Never in a command that names services. */
export function decideRemovals(input: PlanInput): PlanAction[] {
  if (input.selection !== undefined) return [];
  const wanted = new Set(input.desired.map((desired) => actionKey(desired.instance)));
  return [...input.known.values()]
    .filter((known) => !wanted.has(actionKey(known.instance)) && isThere(known, input))
    .map((known) => decideRemoval(known, input));
}

function isThere(known: KnownInstance, input: PlanInput): boolean {
  if (known.unfinished !== undefined) return true;
  if (known.observed === undefined) return false;
  const { stack, name } = known.instance;
  const ownership = judgeOwnership(known.observed.labels, { stack, name, lineage: input.lineage });
  return ownership === "ours" || (ownership === "adoptable" && known.entry !== undefined && known.entry.destroyed !== true);
}

/** Data asks: one with volumes, or protected when it was deployed, goes only by name. */
export function decideRemoval(known: KnownInstance, input: PlanInput): PlanAction {
  const { service } = known.instance;
  const volumes = known.observed?.volumes ?? [];
  const moved = input.desired.find((desired) => desired.instance.service === service);
  const isProtected = known.entry?.protect === true;
  const holdsData = volumes.length > 0 || known.entry?.hasVolumes === true;
  const isConfirmed = input.remove.has(service) || (moved !== undefined && input.leaveVolumes);
  const isHeld = (isProtected || holdsData) && !isConfirmed;
  const why = isProtected ? "it is protected" : "it has volumes";
  return {
    key: actionKey(known.instance),
    kind: isHeld ? "hold" : "remove",
    instance: known.instance,
    causes: [moved === undefined ? "removed" : "moved"],
    changes: [],
    after: [],
    ...(known.observed?.settled === undefined ? {} : { from: known.observed.settled.number }),
    volumes,
    publishes: [],
    notes: [],
    summary: isHeld ? `left the file and stays: ${why}` : removalSummary(volumes, input.withVolumes, moved?.instance.provider),
  };
}

function removalSummary(volumes: readonly string[], withVolumes: boolean, movedTo: string | undefined): string {
  const why = movedTo === undefined ? "left the file" : `moved to ${movedTo}`;
  if (volumes.length === 0) return why;
  const names = volumes.join(", ");
  return withVolumes ? `${why}, with its data: ${names}` : `${why}; volumes stay: ${names}`;
}
