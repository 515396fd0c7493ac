import type { PlanAction } from "../model/plan.ts";
import { actionKey, type DesiredInstance, type KnownInstance, type PlanInput } from "./input.ts";
import { adoptionOf } from "./legacy.ts";
import { outOfReach } from "./out-of-reach.ts";
import { judgeOwnership } from "./ownership.ts";
import { remainsToRemove } from "./remains.ts";

/** What exists of this stack and is not wanted any more. Never in a deploy that names services. */
export function decideRemovals(input: PlanInput): PlanAction[] {
  if (input.goal === "declared" && input.selection !== undefined) return [];
  const wanted = new Set(input.desired.map((desired) => actionKey(desired.instance)));
  const isLeft = ({ instance }: KnownInstance): boolean =>
    input.goal === "declared"
      ? !wanted.has(actionKey(instance)) && !isBroken(instance.service, input)
      : (input.selection?.has(instance.service) ?? true);
  const successors = successorsOf(input.desired);
  return [...input.known.values()]
    .filter((known) => isLeft(known))
    .flatMap((known) =>
      decideOne(known, staysElsewhere(known, input) ? undefined : successors.get(known.instance.service), input),
    );
}

/** What goes on in the place of a service: the same elsewhere, or what was called so formerly. */
function successorsOf(desired: readonly DesiredInstance[]): ReadonlyMap<string, DesiredInstance> {
  const found = new Map<string, DesiredInstance>();
  for (const each of desired) {
    for (const name of [each.instance.service, each.spec.formerly]) {
      if (name !== undefined && !found.has(name)) found.set(name, each);
    }
  }
  return found;
}

/** One of several instances that leaves while others, on record already, stay: nothing takes its place. */
function staysElsewhere({ instance }: KnownInstance, input: PlanInput): boolean {
  return input.desired.some((desired) => {
    const entry = input.known.get(actionKey(desired.instance))?.entry;
    return desired.instance.service === instance.service && entry !== undefined && entry.destroyed !== true;
  });
}

/** Declared, and in no list of what is wanted: its declaration has problems, which are told; it did not leave the file. */
function isBroken(service: string, input: PlanInput): boolean {
  return input.needs.has(service) && !input.desired.some((desired) => desired.instance.service === service);
}

function decideOne(known: KnownInstance, moved: DesiredInstance | undefined, input: PlanInput): PlanAction[] {
  const reason = input.unreachable.get(known.instance.provider);
  if (reason !== undefined) {
    const isRecorded = known.entry !== undefined && known.entry.destroyed !== true;
    return isRecorded ? [outOfReach(decideRemoval(known, moved, input), reason)] : [];
  }
  return isThere(known, input) ? [decideRemoval(known, moved, input)] : [];
}

function isThere(known: KnownInstance, input: PlanInput): boolean {
  if (known.unfinished !== undefined || remainsToRemove(known, input) !== undefined) return true;
  if (known.observed === undefined) return false;
  const { stack, name } = known.instance;
  const ownership = judgeOwnership(known.observed.labels, { stack, name, lineage: input.lineage });
  return (
    ownership === "ours" || (ownership === "adoptable" && known.entry !== undefined && known.entry.destroyed !== true)
  );
}

/** Data asks: one with volumes, or protected when it was deployed, goes only by name. */
function decideRemoval(known: KnownInstance, moved: DesiredInstance | undefined, input: PlanInput): PlanAction {
  const { service } = known.instance;
  const volumes = known.observed?.volumes ?? remainsToRemove(known, input)?.volumes ?? [];
  const adopts = adoptionOf(known, input);
  const obstacle = isConfirmed(known, moved, volumes, input) ? undefined : obstacleTo(known, volumes);
  const reason = reasonOf(known, moved, input);
  return {
    key: actionKey(known.instance),
    kind: obstacle === undefined ? "remove" : "hold",
    instance: known.instance,
    causes: [moved === undefined ? "removed" : "moved"],
    changes: [],
    after: [],
    ...(known.observed?.settled === undefined ? {} : { from: known.observed.settled.number }),
    ...(adopts === undefined ? {} : { adopts }),
    volumes,
    publishes: [],
    notes: [],
    summary:
      obstacle === undefined
        ? removalSummary(volumes, input.withVolumes, reason)
        : `${input.goal === "nothing" ? "stays" : `${reason}, and stays`}: ${obstacle}, so it has to be named (--remove ${service})`,
  };
}

function isConfirmed(
  { instance, unfinished }: KnownInstance,
  moved: DesiredInstance | undefined,
  volumes: readonly string[],
  { remove, withVolumes, leaveVolumes }: PlanInput,
): boolean {
  // A removal that was begun was confirmed then; not that its data goes too.
  const isBegun = unfinished !== undefined && unfinished.to === undefined;
  const takesData = withVolumes && volumes.length > 0;
  return (isBegun && !takesData) || remove.has(instance.service) || (moved !== undefined && leaveVolumes);
}

function reasonOf(known: KnownInstance, moved: DesiredInstance | undefined, input: PlanInput): string {
  if (input.goal === "nothing")
    return remainsToRemove(known, input) === undefined ? "is destroyed" : "was removed before";
  const isKeptElsewhere = moved === undefined && staysElsewhere(known, input);
  return isKeptElsewhere ? `is not wanted on ${known.instance.provider} any more` : movedTo(moved);
}

/** Why it goes only by name. */
function obstacleTo(known: KnownInstance, volumes: readonly string[]): string | undefined {
  if (known.entry?.protect === true || known.served?.spec.protect === true) return "it is protected";
  return volumes.length > 0 || holdsData(known) ? "it has volumes" : undefined;
}

/** As seen, and where its platform cannot be asked as recorded. */
export function holdsData({ entry, observed }: KnownInstance): boolean {
  return (observed?.volumes ?? []).length > 0 || entry?.hasVolumes === true;
}

function movedTo(moved: DesiredInstance | undefined): string {
  if (moved === undefined) return "left the file";
  return moved.spec.formerly === undefined ? `moved to ${moved.instance.provider}` : `is ${moved.instance.service} now`;
}

function removalSummary(volumes: readonly string[], withVolumes: boolean, why: string): string {
  if (volumes.length === 0) return why;
  const names = volumes.join(", ");
  return withVolumes ? `${why}, with its data: ${names}` : `${why}; volumes stay: ${names}`;
}
