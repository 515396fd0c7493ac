import { maximumOf } from "../model/resources.ts";
import type { Adoption } from "../model/plan.ts";
import type { StateEntry } from "../state/store.ts";
import type { DesiredInstance, KnownInstance, PlanInput } from "./input.ts";
import { judgeOwnership } from "./ownership.ts";

/** True for a living entry that pctl 1.1 wrote: ours say which instance they are. */
export function isLegacyEntry(entry: StateEntry | undefined): entry is StateEntry {
  return (
    entry !== undefined && entry.instance === undefined && entry.specHash === undefined && entry.destroyed !== true
  );
}

/** True where the fingerprint of pctl 1.1 says that nothing changed, and all that it deployed serves, and nothing more. */
export function isUnchangedLegacy(desired: DesiredInstance, { entry, observed }: KnownInstance): boolean {
  if (!isLegacyEntry(entry) || entry.fingerprint === undefined || entry.fingerprint !== desired.fingerprint)
    return false;
  if (observed?.settled !== undefined) return false;
  const { replica } = entry;
  if (replica !== undefined && replica !== maximumOf(desired.spec.scale.replicas)) return false;
  if (observed === undefined) return replica === 0;
  const running = observed.revisions.reduce((sum, each) => sum + each.desired, 0);
  return observed.state === "serving" && (replica === undefined || replica === running);
}

/** What is to be taken over before anything is made or removed; undefined where there is nothing of pctl 1.1. */
export function adoptionOf(known: KnownInstance, input: Pick<PlanInput, "adopt" | "lineage">): Adoption | undefined {
  const { entry, observed, instance } = known;
  if (observed?.settled !== undefined) return undefined;
  if (isLegacyEntry(entry)) {
    const { replica, image, pushedByPctl } = entry;
    return {
      ...(replica === undefined ? {} : { replicas: replica }),
      ...(image !== undefined && pushedByPctl === true ? { builtImage: image } : {}),
    };
  }
  if (observed?.isLegacy === true && observed.labels["pctl-lineage"] === input.lineage) return {};
  if (!input.adopt) return undefined;
  const { stack, name } = instance;
  const isFree =
    observed === undefined || judgeOwnership(observed.labels, { stack, name, lineage: input.lineage }) === "adoptable";
  return isFree ? {} : undefined;
}

/** What a reader should know of a release that takes the place of what pctl 1.1 made. */
export function adoptionNotes(desired: DesiredInstance, { observed }: KnownInstance): string[] {
  if (observed?.isLegacy !== true) return [];
  const { type } = desired.spec.strategy;
  const isStaged = type === "canary" || type === "blue_green";
  return [
    "takes the place of what pctl 1.1 made, which goes once this release serves",
    ...(observed.stopped ? ["was stopped by hand, and starts again"] : []),
    ...(desired.publishes.length === 0 ? [] : ["its ports change hands: nobody answers there for a moment"]),
    ...(isStaged ? [`${type} begins with the next deploy: what pctl 1.1 made cannot share traffic`] : []),
  ];
}
