import { CtrlPlaneError } from "../errors/error.ts";
import type { Change, DeploymentResult } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { Stack } from "../model/stack.ts";
import type { RollbackOptions, Run } from "../control-plane.ts";
import { carryOut } from "../apply/deployment.ts";
import type { ChangeScope } from "../apply/change-scope.ts";
import { previousRelease, recordServing } from "../apply/deploy-instance.ts";
import { rollOutAndVerify } from "../apply/roll-out-release.ts";
import { runActions } from "../apply/execute.ts";
import { handOver } from "../apply/hand-over.ts";
import { removeInstance } from "../apply/remove-instance.ts";
import { revertInstance } from "../apply/revert-instance.ts";
import { actionKey, type KnownInstance } from "../plan/input.ts";
import { isScheduled } from "../rollout/scheduled-job.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Core } from "../platforms/core.ts";
import { formerInstance, knownInstances, refuseUntouchable } from "./known.ts";
import { isHalfway, lastEffects, servedBefore } from "./last-effects.ts";
import { refuseUnasked, surveyForUndo } from "./survey-for-undo.ts";
import { planOfActions } from "./plan-of-actions.ts";
import { inOrder } from "./rollback-order.ts";
import { describeStep, type RollbackStep } from "./rollback-step.ts";
import { runChange, type Intended } from "./run-change.ts";
import { survey, type Survey, type SurveyContext } from "./survey.ts";
import { unreachableActions } from "./unreachable.ts";

/** Undoes the last change, or takes one service to an earlier release. Complete releases are restored, not images alone; no job runs again. */
export function rollbackStack(core: Core, stack: Stack, options: RollbackOptions): Promise<Run<Change>> {
  const decide = (context: SurveyContext): Promise<Intended> => decideRollback(core, stack, options, context);
  return runChange(core, { command: "rollback", stack, options, isPreview: options.dryRun ?? false, decide });
}

export async function decideRollback(
  core: Core,
  stack: Stack,
  options: RollbackOptions,
  context: SurveyContext,
): Promise<Intended> {
  const seen =
    options.service === undefined ? await surveyForUndo(core, stack, context) : await survey(core, stack, context);
  const known = knownInstances(stack, seen);
  const steps =
    options.service === undefined
      ? await undoLast(stack, seen, known, options.change, context)
      : await stepsTo(seen, known, options.service, options.to, context);
  const described = await Promise.all(steps.map((step) => describeStep(seen, step, context)));
  const beyond = options.service === undefined ? unreachableActions(known, seen) : [];
  const actions = [...inOrder(described, steps, stack, seen), ...beyond];
  const byKey = new Map(steps.map((step) => [actionKey(step.known.instance), step]));
  const plan = planOfActions(stack, actions);
  return {
    plan,
    survey: seen,
    execute: (scope) => runActions(scope, actions, (action) => goBack(scope, action, byKey)),
  };
}

async function stepsTo(
  seen: Survey,
  known: ReadonlyMap<string, KnownInstance>,
  service: string,
  to: number | undefined,
  context: ProviderContext,
): Promise<RollbackStep[]> {
  const candidates = [...known.values()].filter((each) => each.instance.service === service);
  const found = candidates.filter((each) => each.observed !== undefined || each.releases.length > 0);
  for (const each of found.length === 0 ? candidates : found) refuseUntouchable(each, seen);
  if (found.length === 0) throw new CtrlPlaneError("NOT_FOUND", `${service} is not deployed`, { target: service });
  // Where it moved away only its records are left.
  const there = found.filter((each) => each.observed !== undefined);
  return Promise.all((there.length === 0 ? found.slice(0, 1) : there).map((each) => stepTo(seen, each, to, context)));
}

async function stepTo(
  seen: Survey,
  found: KnownInstance,
  to: number | undefined,
  context: ProviderContext,
): Promise<RollbackStep> {
  const { service, provider } = found.instance;
  if (to === undefined && isHalfway(found)) return undo(seen, found, found.unfinished, context);
  const number = to ?? (await servedBefore(seen, found, context));
  if (number === undefined || !found.releases.includes(number)) {
    const kept = found.releases.join(", ") || "none";
    throw new CtrlPlaneError(
      "NOT_FOUND",
      to === undefined ? `${service} has no earlier release` : `${service} has no release ${to}`,
      {
        target: service,
        hint: `Releases on record on ${provider}: ${kept}. pctl history shows them.`,
      },
    );
  }
  const target = await requireRelease(seen, found, number, context);
  if (target.spec.kind === "job" && !isScheduled(target)) {
    throw new CtrlPlaneError("INVALID", `${service} is a job: a rollback runs none again`, {
      target: service,
      hint: `pctl run ${service} --release ${number} runs release ${number} once more.`,
    });
  }
  return { known: found, target, notes: [], isHeld: false, isUnfinished: false };
}

async function requireRelease(
  seen: Survey,
  { instance }: KnownInstance,
  number: number,
  context: ProviderContext,
): Promise<Release> {
  const release = await seen.surveys
    .get(instance.platformId)
    ?.platform.ledger.release(instance.service, number, context);
  if (release === undefined) {
    throw new CtrlPlaneError("NOT_FOUND", `release ${number} of ${instance.service} is not on record any more`, {
      target: instance.service,
      hint: "keep: in pctl.yaml says how many releases are kept",
    });
  }
  return { ...release, instance };
}

async function undoLast(
  stack: Stack,
  seen: Survey,
  known: ReadonlyMap<string, KnownInstance>,
  change: number | undefined,
  context: ProviderContext,
): Promise<RollbackStep[]> {
  const last = await lastEffects(seen, context, change);
  const { effects } = last;
  refuseUnasked(stack, seen, last.change);
  return Promise.all(
    effects.map((effect) => {
      const { service, platformId } = effect;
      const found =
        [...known.values()].find(
          (each) => each.instance.service === service && each.instance.platformId === platformId,
        ) ?? formerInstance(stack, seen, service, platformId);
      return undo(seen, found, effect, context);
    }),
  );
}

/** Back to what served before; services with data only by name. */
async function undo(
  seen: Survey,
  known: KnownInstance,
  { from }: { readonly from?: number },
  context: ProviderContext,
): Promise<RollbackStep> {
  refuseUntouchable(known, seen);
  const { service } = known.instance;
  const isUnfinished = isHalfway(known);
  if (!isUnfinished && known.observed?.settled?.completedAt !== undefined) return leftJob(known);
  const volumes = known.observed?.volumes ?? [];
  const isHeld = volumes.length > 0 && !isUnfinished;
  const notes = isHeld ? [`holds data in ${volumes.join(", ")}: pctl rollback ${service} takes it back by name`] : [];
  const step = { known, notes, isHeld, isUnfinished };
  if (from === undefined) return step;
  const target = await requireRelease(seen, known, from, context);
  // What completed before cannot be brought to serve again.
  if (!isUnfinished && target.spec.kind === "job" && !isScheduled(target)) return leftJob(known);
  return { ...step, target };
}

function leftJob(known: KnownInstance): RollbackStep {
  const notes = ["a rollback runs no job, and undoes none"];
  return { known, notes, isHeld: false, isUnfinished: false, isJob: true };
}

async function goBack(
  scope: ChangeScope,
  action: PlanAction,
  steps: ReadonlyMap<string, RollbackStep>,
): Promise<DeploymentResult> {
  const step = steps.get(action.key);
  if (step === undefined) throw new Error(`nothing was decided for ${action.key}`);
  const { known, target } = step;
  if (step.isUnfinished) {
    const reverted = await revertInstance(scope, known);
    return reverted.outcome === "reverted" ? { ...reverted, outcome: "succeeded" } : reverted;
  }
  if (target === undefined) return removeInstance(scope, action, known, { volumes: false });
  const { instance } = known;
  const settled = known.observed?.settled;
  const provider = scope.provider(instance);
  const scaledBy = settled?.scaledBy;
  const replicas = scaledBy === undefined || settled === undefined ? target.spec.scale.replicas : settled.replicas;
  const previous = await previousRelease(scope, known, target);
  await provider.provision({ instance, spec: target.spec }, scope.context(instance));
  const aim = {
    ...(settled === undefined ? {} : { from: settled.number }),
    to: target.number,
    strategy: target.spec.strategy.type,
    replicas,
    ...(scaledBy === undefined ? {} : { scaledBy }),
  };
  const givers = (action.takesOver ?? []).flatMap((key) => steps.get(key)?.known ?? []);
  const ports = givers.length === 0 ? undefined : handOver(scope, action, givers);
  await ports?.take();
  const result = await carryOut(scope, instance, aim, (deployment) => {
    scope.emitFor(
      instance,
      { type: "service.started", release: target.number, message: `back to release ${target.number}` },
      deployment.id,
    );
    return rollOutAndVerify(
      scope,
      provider,
      {
        release: target,
        previous,
        settled,
        replicas,
        isRollback: true,
        ...(scaledBy === undefined ? {} : { scaledBy }),
      },
      deployment,
    );
  });
  if (result.outcome === "succeeded") await recordServing(scope, target, settled?.number);
  if (result.outcome === "succeeded" || result.outcome === "paused") ports?.tell();
  else await ports?.giveBack(instance.service);
  return result;
}
