import { canonicalJson, sha256 } from "../model/hash.ts";
import type { Plan, PlanAction } from "../model/plan.ts";
import type { Stack } from "../model/stack.ts";

/** The plan of a command that says itself what is to be done, and compares with no declaration. Its hash is over what the actions do. */
export function planOfActions(stack: Stack, actions: readonly PlanAction[]): Plan {
  return {
    v: 1,
    stack: stack.name,
    ...(stack.environment === undefined ? {} : { environment: stack.environment }),
    hash: sha256(
      canonicalJson(actions.map(({ key, kind, from, release, summary }) => ({ key, kind, from, release, summary }))),
    ),
    actions,
    diagnostics: [],
    platforms: [],
  };
}
