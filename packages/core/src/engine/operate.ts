import { CtrlPlaneError } from "../errors/error.ts";
import type { Change, ChangeCommand, DeploymentResult } from "../model/change.ts";
import type { InstanceStatus, SettledRelease } from "../model/observed.ts";
import type { Adoption, PlanAction } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import { type ReplicaCount } from "../model/resources.ts";
import type { Stack } from "../model/stack.ts";
import type { ChangeOptions, Run } from "../control-plane.ts";
import { carryOut, type Deployment } from "../apply/deployment.ts";
import type { ChangeScope } from "../apply/change-scope.ts";
import { runActions } from "../apply/execute.ts";
import { operateOnLegacy, type LegacyAct } from "../apply/operate-legacy.ts";
import { describeSchedule } from "../apply/roll-out-release.ts";
import { recoverInstance } from "../apply/recover-instance.ts";
import { actionKey, type KnownInstance } from "../plan/input.ts";
import { adoptionOf } from "../plan/legacy.ts";
import type { Core } from "../platforms/core.ts";
import { knownInstances, refuseUntouchable } from "./known.ts";
import type { Capability } from "../provider/capability.ts";
import { refusePaused } from "./advance.ts";
import { refuseUnnamed, withoutRelease } from "./refuse-legacy.ts";
import { refuseIncapable } from "./refuse-incapable.ts";
import { checkServices } from "./service-names.ts";
import { planOfActions } from "./plan-of-actions.ts";
import { runChange } from "./run-change.ts";
import { survey, type Survey } from "./survey.ts";
import { unreachableActions } from "./unreachable.ts";

/** What a command does to one instance that serves, or was stopped. */
export interface Operation {
  readonly command: ChangeCommand;
  /** What a provider must be able to do for a service. Default: `deploy`. */
  readonly capabilities?: (service: string) => readonly Capability[];
  /** The line of the plan. */
  describe(service: string, settled: SettledRelease): { summary: string; notes: string[] };
  replicas(service: string, settled: SettledRelease): ReplicaCount;
  /** It runs nothing anew, and so needs no key. */
  readonly needsNoKey?: boolean;
  /** What it does to what pctl 1.1 made; or that it needs a release, and what to do once there is one. */
  readonly legacy:
    | { readonly summary: string; readonly notes: readonly string[]; readonly act: LegacyAct }
    | { readonly next: (service: string) => string };
  act(scope: ChangeScope, of: Subject, deployment: Deployment): Promise<InstanceStatus>;
}

export interface Subject {
  readonly release: Release;
  readonly settled: SettledRelease;
  readonly replicas: ReplicaCount;
  readonly scaledBy?: SettledRelease["scaledBy"];
}

/** Frames an operation on services as a change; without names on all that is deployed. */
export function operate(
  core: Core,
  stack: Stack,
  services: readonly string[],
  options: ChangeOptions,
  operation: Operation,
): Promise<Run<Change>> {
  return runChange(core, {
    command: operation.command,
    stack,
    options,
    decide: async (context) => {
      const seen = await survey(core, stack, context);
      const known = knownInstances(stack, seen);
      checkServices(stack, seen, known, services);
      const subjects =
        services.length > 0
          ? services.flatMap((each) => requireDeployed(seen, known, each, operation))
          : deployed(known, seen, operation).filter((each) => !isAimless(operation.command, each));
      for (const each of subjects) {
        refuseUntouchable(each, seen);
        refusePaused(each);
        refuseIncapable(each.instance, seen, operation.capabilities?.(each.instance.service) ?? ["deploy"]);
      }
      const isMeant = ({ instance }: KnownInstance): boolean =>
        services.length === 0 || services.includes(instance.service);
      const beyond = unreachableActions(new Map([...known].filter(([, each]) => isMeant(each))), seen);
      const actions = [...subjects.map((subject) => describeAction(subject, seen, operation)), ...beyond];
      const byKey = new Map(subjects.map((subject) => [actionKey(subject.instance), subject]));
      const plan = planOfActions(stack, actions);
      return {
        plan,
        survey: seen,
        execute: (scope) =>
          runActions(scope, actions, (action) => operateOn(scope, action, byKey.get(action.key), operation)),
      };
    },
  });
}

function deployed(known: ReadonlyMap<string, KnownInstance>, seen: Survey, { legacy }: Operation): KnownInstance[] {
  return [...known.values()].filter((each) => {
    const { observed } = each;
    if (observed?.settled === undefined) return "act" in legacy && legacyOf(each, seen) !== undefined;
    return observed.settled.completedAt === undefined;
  });
}

/** How it is taken over; undefined for what pctl 1.1 did not make, or of which nobody says that it is of this stack. */
function legacyOf(known: KnownInstance, { lineage }: Survey): Adoption | undefined {
  return known.observed?.isLegacy === true ? adoptionOf(known, { adopt: false, lineage }) : undefined;
}

/** A job runs once a release: there is nothing to stop, start or scale. */
function requireService(command: ChangeCommand, known: KnownInstance): KnownInstance {
  const { service } = known.instance;
  if (isAimless(command, known))
    throw new CtrlPlaneError("INVALID", `${service} is a job that runs by a schedule: there is nothing to ${command}`, {
      target: service,
      hint: `pctl stop ${service} suspends it, pctl start ${service} goes on.`,
    });
  if (known.observed?.settled?.completedAt === undefined) return known;
  throw new CtrlPlaneError("INVALID", `${service} is a job and runs once a release: there is nothing to ${command}`, {
    target: service,
    hint: `pctl run ${service} runs it once more; pctl destroy ${service} ends and forgets it.`,
  });
}

/** What runs by a schedule can be stopped and started, and no more. */
function isAimless(command: ChangeCommand, { observed }: KnownInstance): boolean {
  return observed?.settled?.schedule !== undefined && (command === "scale" || command === "restart");
}

/** On all its providers. Throws `NOT_FOUND` where it is not deployed, and why nobody knows where its platform cannot be reached. */
function requireDeployed(
  seen: Survey,
  known: ReadonlyMap<string, KnownInstance>,
  service: string,
  { command, legacy }: Operation,
): KnownInstance[] {
  const candidates = [...known.values()].filter((each) => each.instance.service === service);
  const found = candidates.filter(
    ({ observed }) => observed?.settled !== undefined || (observed?.isLegacy === true && "act" in legacy),
  );
  for (const each of found.length > 0 ? found : candidates) {
    refuseUntouchable(each, seen);
    refuseUnnamed(each, seen);
  }
  if (found.length > 0) return found.map((each) => requireService(command, each));
  if ("next" in legacy && candidates.some((each) => each.observed?.isLegacy === true))
    throw withoutRelease(service, command, legacy.next(service));
  throw new CtrlPlaneError("NOT_FOUND", `${service} is not deployed`, {
    target: service,
    hint: `pctl deploy ${service} brings it up.`,
  });
}

function describeAction(known: KnownInstance, seen: Survey, operation: Operation): PlanAction {
  const { instance, observed } = known;
  const settled = observed?.settled;
  const adopts = legacyOf(known, seen);
  const { summary = "", notes = [] } =
    settled !== undefined
      ? operation.describe(instance.service, settled)
      : "act" in operation.legacy
        ? operation.legacy
        : {};
  return {
    key: actionKey(instance),
    kind: "configure",
    instance,
    causes: ["override"],
    changes: [],
    after: [],
    ...(settled === undefined ? {} : { from: settled.number }),
    ...(adopts === undefined ? {} : { adopts }),
    volumes: [],
    publishes: [],
    summary,
    notes,
  };
}

async function operateOn(
  scope: ChangeScope,
  { adopts }: PlanAction,
  known: KnownInstance | undefined,
  operation: Operation,
): Promise<DeploymentResult> {
  if (known === undefined) throw new Error("an action without a subject");
  const { instance } = known;
  const recovered = await recoverInstance(scope, known);
  if (recovered !== undefined && recovered.outcome !== "reverted" && recovered.outcome !== "succeeded")
    return recovered;
  const settled =
    recovered === undefined
      ? known.observed?.settled
      : (await scope.provider(instance).status({ instance }, scope.readContext())).settled;
  if (settled === undefined && adopts !== undefined && "act" in operation.legacy)
    return operateOnLegacy(scope, instance, adopts, operation.legacy.act);
  if (settled === undefined)
    throw new CtrlPlaneError("NOT_FOUND", `${instance.service} is not deployed`, { target: instance.service });
  const subject = await subjectOf(scope, known, settled, operation);
  const { replicas, scaledBy, release } = subject;
  const aim = {
    from: settled.number,
    to: settled.number,
    strategy: release.spec.strategy.type,
    replicas,
    ...(scaledBy === undefined ? {} : { scaledBy }),
  };
  return carryOut(scope, instance, aim, async (deployment) => {
    scope.emitFor(
      instance,
      { type: "service.started", release: settled.number, message: operation.command },
      deployment.id,
    );
    const status = await operation.act(scope, subject, deployment);
    const ready = status.revisions.reduce((sum, each) => sum + each.ready, 0);
    const desired = status.revisions.reduce((sum, each) => sum + each.desired, 0);
    const serves =
      status.schedule === undefined
        ? `release ${settled.number} serves, ${ready} of ${desired} ready`
        : describeSchedule(status.schedule);
    const message = status.stopped ? "stopped" : serves;
    const data = { outcome: "succeeded", serving: settled.number, addresses: status.addresses };
    scope.emitFor(instance, { type: "service.done", release: settled.number, message, data }, deployment.id);
    return { outcome: "succeeded", ...(status.stopped ? {} : { serving: settled.number }), message };
  });
}

async function subjectOf(
  scope: ChangeScope,
  known: KnownInstance,
  settled: SettledRelease,
  operation: Operation,
): Promise<Subject> {
  const { instance } = known;
  const { ledger } = scope.platform(instance);
  const opened = await ledger.openRelease(instance.service, settled.number, scope.readContext());
  if (opened?.problem !== undefined && operation.needsNoKey !== true) throw opened.problem;
  const found = opened?.release;
  if (found === undefined) {
    throw new CtrlPlaneError("NOT_FOUND", `release ${settled.number} of ${instance.service} is not on record`, {
      target: instance.service,
      hint: `pctl deploy ${instance.service} makes a new one.`,
    });
  }
  const release = { ...found, instance, revision: { ...found.revision, generation: settled.generation } };
  const { scaledBy } = settled;
  return {
    release,
    settled,
    replicas: operation.replicas(instance.service, settled),
    ...(scaledBy === undefined ? {} : { scaledBy }),
  };
}
