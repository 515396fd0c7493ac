import type { ReplicaLimits } from "../supervisor/records.ts";

/** Limits and measures replicas where the system lets us. */
export interface ControlGroups {
  /** Groups that hold a replica's limits exist; empty where there are no limits, or none can be set. */
  enter(id: string, limits: ReplicaLimits): { readonly join: readonly string[]; readonly leave: readonly string[] };
  /** Memory ran out in the replica's group since it was entered. */
  ranOutOfMemory(id: string): boolean;
  remove(id: string): void;
}

/** Where no group can be made. */
export const noControlGroups: ControlGroups = {
  enter: () => ({ join: [], leave: [] }),
  ranOutOfMemory: () => false,
  remove: () => undefined,
};
