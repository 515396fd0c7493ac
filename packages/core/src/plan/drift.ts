import { leastReplicas, type ObservedInstance, type ObservedRevision, type SettledRelease } from "../model/observed.ts";
import type { Cause, FieldChange } from "../model/plan.ts";
import { describeReplicas } from "./describe.ts";
import type { DesiredInstance } from "./input.ts";

/** Where the platform runs another thing than what was settled there. */
export function drifts(desired: DesiredInstance, observed: ObservedInstance, settled: SettledRelease): FieldChange[] {
  // What has ended runs no more.
  if (observed.stopped || settled.completedAt !== undefined) return [];
  if (settled.schedule !== undefined) return scheduleDrifts(observed, settled);
  const current = observed.revisions.find(
    (each) => each.replicaHash === settled.replicaHash && each.generation === settled.generation,
  );
  return [
    ...replicaDrifts(observed, settled, current),
    ...otherRevisions(observed, current),
    ...leftSchedule(observed),
    ...(observed.altered ?? []),
    ...fieldDrifts(desired, observed, settled),
  ];
}

/** Replicas of the settled revision: too few that are ready, or too many. */
function replicaDrifts(
  observed: ObservedInstance,
  settled: SettledRelease,
  current: ObservedRevision | undefined,
): FieldChange[] {
  const { ready = 0, desired = 0 } = current ?? {};
  const wanted = leastReplicas(observed) ?? 0;
  if (ready < wanted) {
    const cause: Cause = desired < wanted ? "missing" : "drift";
    return [{ path: "replicas", before: `${ready} of ${wanted} ready`, after: `${wanted} ready`, cause }];
  }
  const isExact = typeof settled.replicas === "number" || observed.wanted !== undefined;
  if (!isExact || desired <= wanted) return [];
  return [{ path: "replicas", before: describeReplicas(desired), after: describeReplicas(wanted), cause: "drift" }];
}

function otherRevisions({ revisions }: ObservedInstance, current: ObservedRevision | undefined): FieldChange[] {
  return revisions
    .filter((each) => each !== current && each.desired > 0)
    .map(({ replicaHash }) => ({
      path: "revisions",
      before: `${replicaHash === "" ? "something unlabelled" : replicaHash.slice(0, 8)} runs as well`,
      after: "gone",
      cause: "drift",
    }));
}

/** Of a service: nothing of it may be run by a schedule. */
function leftSchedule({ schedule }: ObservedInstance): FieldChange[] {
  if (schedule === undefined) return [];
  return [{ path: "schedule", before: `release ${schedule.release} is registered`, after: "gone", cause: "drift" }];
}

/** Its runs come and go: only that it is registered can be missed. */
function scheduleDrifts({ schedule }: ObservedInstance, { number }: SettledRelease): FieldChange[] {
  if (schedule?.release === number) return [];
  const before = schedule === undefined ? "not registered" : `release ${schedule.release} is registered`;
  return [{ path: "schedule", before, after: "registered", cause: "missing" }];
}

/** Observed fields are compared only while the declaration is the settled one: a change explains any difference. */
function fieldDrifts(desired: DesiredInstance, observed: ObservedInstance, settled: SettledRelease): FieldChange[] {
  if (settled.specHash !== desired.specHash) return [];
  return observed.observedFields.flatMap((path): FieldChange[] => {
    const wanted = JSON.stringify(at(desired.spec, path));
    const seen = JSON.stringify(observed.fields[path]);
    return wanted === seen
      ? []
      : [
          {
            path,
            ...(seen === undefined ? {} : { before: seen }),
            ...(wanted === undefined ? {} : { after: wanted }),
            cause: "drift",
          },
        ];
  });
}

function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => {
    if (inner === null || typeof inner !== "object") return undefined;
    return (inner as Readonly<Record<string, unknown>>)[key]; // an object, checked on the line before
  }, value);
}
