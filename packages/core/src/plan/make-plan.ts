import type { Diagnostic } from "../errors/diagnostic.ts";
import { canonicalJson, sha256 } from "../model/hash.ts";
import type { Plan, PlanAction } from "../model/plan.ts";
import { decide } from "./decide.ts";
import { actionKey, type DesiredInstance, type KnownInstance, type PlanInput } from "./input.ts";
import { outOfReach } from "./out-of-reach.ts";
import { order } from "./order.ts";
import { portsTwice } from "./host-ports.ts";
import { decideRemovals, holdsData } from "./removals.ts";
import { tellRemains } from "./remains.ts";
import { irreversible, joinTogether, samePlatforms } from "./together.ts";

/** From what is wanted and what is known to what is to be done. Pure: the same input gives the same plan, and the same hash. */
export function makePlan(input: PlanInput): Plan {
  const chosen =
    input.goal === "nothing"
      ? []
      : input.desired.filter((desired) => input.selection?.has(desired.instance.service) ?? true);
  const seen = Map.groupBy(
    [...input.known.values()].filter((each) => each.observed !== undefined),
    (each) => each.instance.service,
  );
  const wantedKeys = new Set(input.desired.map((each) => actionKey(each.instance)));
  const declared = new Set(input.desired.map((each) => each.instance.service));
  const renamedFrom = ({ spec }: DesiredInstance): KnownInstance | undefined =>
    spec.formerly === undefined || declared.has(spec.formerly) ? undefined : seen.get(spec.formerly)?.[0];
  const wanted = chosen.map((desired) => {
    const sameName = (seen.get(desired.instance.service) ?? []).filter(
      (each) => !wantedKeys.has(actionKey(each.instance)),
    );
    return decideReachable(desired, sameName, renamedFrom(desired), input);
  });
  const actions = order([...joinTogether(wanted, input), ...decideRemovals(input)], input);
  const diagnostics = [
    ...input.diagnostics,
    ...actions.flatMap((action) => refusals(action, input)),
    ...samePlatforms(input.desired).map(onePlatform),
    ...portsTwice(input),
    ...irreversible(actions, input).map(notAtomic),
    ...tellRemains(input),
  ];
  return {
    v: 1,
    stack: input.stack,
    ...(input.environment === undefined ? {} : { environment: input.environment }),
    hash: hashPlan(actions, input),
    actions,
    diagnostics,
    ...(input.continues === undefined ? {} : { continues: input.continues }),
    platforms: input.platforms,
  };
}

/** `sameName`: instances of the service that run where it is not wanted. `renamed`: what it was called before, where that still runs. */
function decideReachable(
  desired: DesiredInstance,
  sameName: readonly KnownInstance[],
  renamed: KnownInstance | undefined,
  input: PlanInput,
): PlanAction {
  const key = actionKey(desired.instance);
  const reason = input.unreachable.get(desired.instance.provider);
  const known: KnownInstance = input.known.get(key) ?? { instance: desired.instance, releases: [] };
  const action = decide(desired, known, input);
  if (reason !== undefined) return outOfReach({ ...action, causes: [], changes: [] }, reason);
  if (action.kind === "create" && renamed !== undefined) {
    return { ...action, causes: ["moved"], notes: [...action.notes, `was ${renamed.instance.service} until now`] };
  }
  const isMoved = sameName.some((other) => actionKey(other.instance) !== key);
  return action.kind === "create" && isMoved ? { ...action, causes: ["moved"] } : action;
}

/** Problems that only the plan can see. */
function refusals(action: PlanAction, input: PlanInput): Diagnostic[] {
  const field = `services.${action.instance.service}`;
  if (action.causes.includes("foreign")) {
    return [
      {
        severity: "error",
        code: "foreign",
        summary: `${action.instance.name} on ${action.instance.provider} is not of this stack, and is not touched`,
        field,
        hint: "Name the stack or the service otherwise, remove the other one, or take it over with --adopt if pctl 1.1 made it.",
      },
    ];
  }
  const known = input.known.get(action.key);
  const stays = action.kind === "hold" || action.kind === "unreachable";
  if (action.causes.includes("moved") && stays && known !== undefined && holdsData(known) && !input.leaveVolumes) {
    const to = input.desired.find((each) => each.spec.formerly === action.instance.service);
    return [
      {
        severity: "error",
        code: "move-with-volumes",
        summary: `${action.instance.name} on ${action.instance.provider} has volumes, and data does not move by itself`,
        field: to === undefined ? `${field}.provider` : `services.${to.instance.service}.formerly`,
        hint: "Move the data yourself, then deploy with --leave-volumes; the old volumes stay where they are.",
      },
    ];
  }
  return [];
}

function onePlatform({ service, names }: { service: string; names: readonly string[] }): Diagnostic {
  return {
    severity: "error",
    code: "same-platform",
    summary: `${names.join(" and ")} are one platform: ${service} has one instance there`,
    field: `services.${service}.provider`,
    hint: "Name one of them; for more replicas write scale: { replica: N }.",
  };
}

function notAtomic({ action, why }: { action: PlanAction; why: string }): Diagnostic {
  return {
    severity: "error",
    code: "not-atomic",
    summary: `--atomic takes the whole change back when one service fails: ${why}`,
    field: `services.${action.instance.service}`,
    hint: "Change that, or deploy without --atomic.",
  };
}

/** Over all that apply acts on; words for people do not count. */
function hashPlan(actions: readonly PlanAction[], input: PlanInput): string {
  const content = actions.map(({ key, kind, after, specHash, from, release, instance, volumes, takesOver, adopts }) => {
    const { id: _id, lineage: _lineage, ...where } = instance;
    return { key, kind, after, specHash, from, release, where, volumes, takesOver, adopts };
  });
  return sha256(canonicalJson({ v: 1, stack: input.stack, content, withVolumes: input.withVolumes, goal: input.goal }));
}
