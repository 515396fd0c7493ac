import { isAsSettled } from "../model/observed.ts";
import type { Diagnostic } from "../errors/diagnostic.ts";
import type { Plan } from "../model/plan.ts";
import type { Stack } from "../model/stack.ts";
import { dependencies } from "../config/dependencies.ts";
import type { DeployOptions, PlanOptions } from "../control-plane.ts";
import { actionKey, type DesiredInstance, type KnownInstance, type PlanInput } from "../plan/input.ts";
import { makePlan } from "../plan/make-plan.ts";
import { whyUnreachable, type Unreachable } from "../plan/out-of-reach.ts";
import type { ProviderContext } from "../provider/context.ts";
import { checkNames, checkServices } from "./service-names.ts";
import type { Core } from "../platforms/core.ts";
import { desire } from "./desired.ts";
import { knownInstances } from "./known.ts";
import { survey, type Survey, type SurveyContext } from "./survey.ts";
import { lastRollbacks } from "./rolled-back.ts";

/** A plan with everything it was made from, so that apply looks nothing up again. */
export interface PreparedPlan {
  readonly plan: Plan;
  readonly survey: Survey;
  readonly desired: ReadonlyMap<string, DesiredInstance>;
  readonly known: ReadonlyMap<string, KnownInstance>;
}

/** Observe, then decide. Reads only. `goal`: the stack as declared, or nothing of it. */
export async function prepare(
  core: Core,
  stack: Stack,
  options: PlanOptions & Pick<DeployOptions, "atomic">,
  context: SurveyContext,
  goal: "declared" | "nothing" = "declared",
): Promise<PreparedPlan> {
  const selection =
    options.services === undefined || options.services.length === 0 ? undefined : new Set(options.services);
  if (goal === "declared") checkNames(stack, options);
  const refresh = options.refresh ?? false;
  const seen = await survey(core, stack, context, { refresh });
  const first = knownInstances(stack, seen);
  const named = [...(goal === "nothing" ? (options.services ?? []) : []), ...(options.remove ?? [])];
  checkServices(stack, seen, first, named);
  const chosen = goal === "nothing" ? new Set<string>() : selection;
  const wanted = await desire(
    core,
    stack,
    seen,
    first,
    { ...(chosen === undefined ? {} : { selection: chosen }), refresh },
    context,
  );
  const desired = new Map(wanted.instances.map((each) => [actionKey(each.instance), each]));
  const known = await complete(core, seen, first, desired, context);
  const input: PlanInput = {
    stack: stack.name,
    ...(stack.environment === undefined ? {} : { environment: stack.environment }),
    lineage: seen.lineage,
    desired: wanted.instances,
    known,
    unreachable: unreachableProviders(seen),
    goal,
    platforms: describePlatforms(seen),
    hosts: hostsOf(seen),
    ...(seen.lastChange === undefined
      ? {}
      : { continues: { change: seen.lastChange.number, at: seen.lastChange.startedAt, by: seen.lastChange.by } }),
    diagnostics: [...wanted.diagnostics, ...unmetNeeds(wanted.instances, known, selection, stack)],
    ...(selection === undefined ? {} : { selection }),
    needs: new Map(Object.entries(stack.services).map(([name, service]) => [name, dependencies(service)])),
    remove: new Set(options.remove ?? []),
    withVolumes: options.volumes ?? false,
    adopt: options.adopt ?? false,
    leaveVolumes: options.leaveVolumes ?? false,
    atomic: options.atomic ?? false,
    now: core.clock.now(),
  };
  const made = makePlan(input);
  const plan = { ...made, diagnostics: made.diagnostics.map((each) => locate(each, stack)) };
  return { plan, survey: seen, desired, known };
}

function locate(each: Diagnostic, stack: Stack): Diagnostic {
  if (each.path !== undefined || each.field === undefined) return each;
  return { ...each, ...stack.locate(each.field) };
}

/** Reads in full, from the ledger, only the releases that a difference has to be told from. */
async function complete(
  core: Core,
  seen: Survey,
  known: ReadonlyMap<string, KnownInstance>,
  desired: ReadonlyMap<string, DesiredInstance>,
  context: ProviderContext,
): Promise<Map<string, KnownInstance>> {
  const rolledBack = await lastRollbacks(seen, context);
  const entries = [...known].map(async ([key, each]): Promise<[string, KnownInstance]> => {
    const ledger = seen.surveys.get(each.instance.platformId)?.platform.ledger;
    const settled = each.observed?.settled;
    const wanted = desired.get(key);
    if (ledger === undefined) return [key, each];
    const differs = settled !== undefined && settled.specHash !== wanted?.specHash;
    const served = differs ? await ledger.openRelease(each.instance.service, settled.number, context) : undefined;
    const to = each.unfinished?.to;
    const target =
      to === undefined ? undefined : (await ledger.openRelease(each.instance.service, to, context))?.release;
    const back = rolledBack.get(each.instance.service);
    const isRolledBack = back !== undefined && wanted !== undefined && back.specHash === wanted.specHash && differs;
    return [
      key,
      {
        ...each,
        ...(served === undefined ? {} : { served: served.release }),
        ...(served?.opened === false ? { isServedMasked: true } : {}),
        ...(isUnrecorded(each, seen) ? { isUnrecorded: true } : {}),
        ...(target === undefined ? {} : { unfinishedSpecHash: target.specHash }),
        ...(isRolledBack ? { rolledBack: { release: back.release, change: back.change } } : {}),
      },
    ];
  });
  return new Map(await Promise.all(entries));
}

/** Only where the ledger lies beside the instance: another machine's own ledger says nothing of what it lacks. */
function isUnrecorded({ instance, observed, releases }: KnownInstance, seen: Survey): boolean {
  const settled = observed?.settled;
  const reach = seen.surveys.get(instance.platformId)?.platform.records.reach;
  return settled !== undefined && reach === "platform" && !releases.includes(settled.number);
}

/** `deploy web` deploys only web, so what web needs has to serve already. */
function unmetNeeds(
  instances: readonly DesiredInstance[],
  known: ReadonlyMap<string, KnownInstance>,
  selection: ReadonlySet<string> | undefined,
  stack: Stack,
): Diagnostic[] {
  if (selection === undefined) return [];
  return instances.flatMap((desired) =>
    desired.needs
      .filter((need) => !selection.has(need))
      .filter((need) => ![...known.values()].some((each) => each.instance.service === need && isServing(each)))
      .map((need): Diagnostic => {
        const field = `services.${desired.instance.service}.needs`;
        return {
          severity: "error",
          code: "need-not-serving",
          summary: `${desired.instance.service} needs ${need}, which does not serve`,
          field,
          ...stack.locate(field),
          hint: `Deploy it too: pctl deploy ${need} ${desired.instance.service}`,
        };
      }),
  );
}

function isServing(known: KnownInstance): boolean {
  const state = known.observed?.state;
  return state === "degraded" || isAsSettled(state);
}

function unreachableProviders(seen: Survey): PlanInput["unreachable"] {
  const found = [...seen.platforms.providers.values()].flatMap((bound): [string, Unreachable][] =>
    "problem" in bound ? [[bound.name, whyUnreachable(bound.problem)]] : [],
  );
  return new Map(found);
}

/** The machines on which providers publish host ports, by their names. */
export function hostsOf(seen: Survey): Map<string, string> {
  const found = [...seen.platforms.providers.values()].flatMap((bound): [string, string][] =>
    "health" in bound && bound.health.host !== undefined ? [[bound.name, bound.health.host]] : [],
  );
  return new Map(found);
}

function describePlatforms(seen: Survey): Plan["platforms"] {
  return [...seen.platforms.providers.values()].map((bound) =>
    "problem" in bound
      ? { provider: bound.name, platformId: "", description: bound.problem.message, reachable: false }
      : { provider: bound.name, platformId: bound.platform.id, description: bound.health.description, reachable: true },
  );
}
