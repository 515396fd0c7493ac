import { CtrlPlaneError } from "../errors/error.ts";
import type { Change } from "../model/change.ts";
import type { Stack } from "../model/stack.ts";
import type { Core } from "../platforms/core.ts";
import { placesLeft } from "./last-effects.ts";
import { survey, type Survey, type SurveyContext } from "./survey.ts";

/** A survey that sees all that the last change did: also where it left nothing of the stack. */
export async function surveyForUndo(core: Core, stack: Stack, context: SurveyContext): Promise<Survey> {
  const seen = await survey(core, stack, context);
  const also = await placesLeft(seen, context);
  return also.length === 0 ? seen : survey(core, stack, context, { also });
}

/** Throws `UNAVAILABLE` where a change took away what only a platform that cannot be asked could bring back: the rest of it alone is not undone. */
export function refuseUnasked(stack: Stack, seen: Survey, { number, result }: Change): void {
  for (const { outcome, provider, service } of result?.services ?? []) {
    const bound = seen.platforms.providers.get(provider);
    if (outcome !== "removed" || bound === undefined || "platform" in bound) continue;
    const isDeclared = stack.providers[provider] !== undefined;
    const what = `change #${number} took ${service} away from ${provider}, which cannot be asked: ${bound.problem.message}`;
    throw new CtrlPlaneError("UNAVAILABLE", what, {
      provider,
      target: service,
      cause: bound.problem,
      hint: `Nothing was undone. ${isDeclared ? "Once it can be reached" : `Once ${provider} is declared again`}, run the same command again.`,
    });
  }
}
