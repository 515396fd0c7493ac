import type { CtrlPlaneError } from "../errors/error.ts";
import type { PlanAction, Problem } from "../model/plan.ts";

/** Why a platform cannot be reached. */
export interface Unreachable {
  readonly message: string;
  /** Absent where nothing was thrown. */
  readonly problem?: Problem;
}

/** What a platform's provider threw, as the plan keeps it. */
export function whyUnreachable({ message, code, hint }: CtrlPlaneError): Unreachable {
  return { message, problem: { code, ...(hint === undefined ? {} : { hint }) } };
}

/** The action that is left of one on a platform that cannot be reached: nothing is done, and nothing is claimed of what is there. */
export function outOfReach(action: PlanAction, { message, problem }: Unreachable): PlanAction {
  const { problem: _, ...rest } = action;
  return { ...rest, kind: "unreachable", notes: [], summary: message, ...(problem === undefined ? {} : { problem }) };
}
