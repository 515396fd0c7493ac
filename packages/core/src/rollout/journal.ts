import type { FailureDetail } from "../errors/error.ts";

/** A decision of a rollout. Effects can be observed after a crash, decisions cannot: each is written before its effect. */
export type RolloutDecision =
  /** This step of canary or blue_green is being reached, the ones before it are; `weight` in percent. */
  | { readonly kind: "step"; readonly step: number; readonly weight: number }
  /** The step is reached, and nothing goes on before `until`; absent for a pause that waits for a person. ISO 8601. */
  | {
      readonly kind: "pause";
      readonly step: number;
      readonly since: string;
      readonly until?: string;
      /** Restarts of the new revision's replicas until then: one more, and a replica ended during the pause. */
      readonly restarts?: number;
    }
  /** The pause is over; with `full` the further ones are left out. */
  | { readonly kind: "promote"; readonly full?: true }
  /** Not wanted any more: back to the release before. */
  | { readonly kind: "abort" }
  /** A job is about to be started, for the first time (1) or again. */
  | { readonly kind: "attempt"; readonly attempt: number; /** ISO 8601. */ readonly at?: string }
  /** The way back was begun; only its end remains. */
  | {
      readonly kind: "revert";
      readonly failure?: FailureDetail;
      /** It had succeeded, and goes back with this service, which failed. */
      readonly because?: string;
    };

export interface RolloutJournal {
  /** Decisions of this deployment so far, oldest first; more than none after a crash. */
  readonly decisions: readonly RolloutDecision[];
  /** Resolves once it is stored; throws `CONFLICT` where the lease is lost, and then nothing may follow. */
  decide(decision: RolloutDecision): Promise<void>;
}
