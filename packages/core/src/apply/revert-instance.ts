import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { DeploymentResult } from "../model/change.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { Release } from "../model/release.ts";
import type { KnownInstance, UnfinishedDeployment } from "../plan/input.ts";
import type { RolloutDecision, RolloutJournal } from "../rollout/journal.ts";
import { withoutPauses } from "../rollout/stages.ts";
import { isScheduled } from "../rollout/scheduled-job.ts";
import type { ChangeScope } from "./change-scope.ts";
import { carryOut, type Deployment, type DeploymentEffect } from "./deployment.ts";
import { recordServing } from "./deploy-instance.ts";
import { rollOutAndVerify } from "./roll-out-release.ts";

/**
 * Ends a deployment that was begun and is not wanted any more, or whose way back was begun: the release before it serves
 * again, and of a first one nothing is left. `because`: the service that failed, where it goes back with another. The intent keeps its direction, with the decision to go back, so that
 * a further crash leads here again.
 */
export async function revertInstance(
  scope: ChangeScope,
  known: KnownInstance,
  because?: string,
): Promise<DeploymentResult> {
  const { instance, unfinished } = known;
  if (unfinished === undefined) throw new CtrlPlaneError("INTERNAL", `nothing of ${instance.name} is unfinished`);
  const decisions: RolloutDecision[] = [{ kind: "revert", ...(because === undefined ? {} : { because }) }];
  const begun = await releaseBegun(scope, known, unfinished);
  const isAttempt = begun?.spec.kind === "job" && !isScheduled(begun);
  if (isAttempt) return revertJob(scope, known, begun, { ...unfinished, decisions });
  const back = await releaseBefore(scope, known, unfinished);
  tellReverting(scope, instance, unfinished, because);
  const aim = {
    ...(unfinished.from === undefined ? {} : { from: unfinished.from }),
    ...(unfinished.to === undefined ? {} : { to: unfinished.to }),
    strategy: back?.spec.strategy.type ?? ("recreate" as const),
    replicas: back?.spec.scale.replicas ?? 0,
  };
  const result = await carryOut(
    scope,
    instance,
    aim,
    (deployment) =>
      back === undefined
        ? removeFirst(scope, known, begun, deployment)
        : goBack(scope, known, { back, begun }, deployment),
    { deployment: unfinished.deployment, decisions },
  );
  if (result.outcome === "reverted" && back !== undefined) await recordServing(scope, back);
  return result;
}

/** An attempt is not taken back: it is let come to its end, and its release is left. What served or completed before stands, a schedule is in effect again. */
async function revertJob(
  scope: ChangeScope,
  known: KnownInstance,
  begun: Release,
  of: UnfinishedDeployment & { readonly decisions: readonly RolloutDecision[] },
): Promise<DeploymentResult> {
  const { instance } = known;
  const { deployment, change, from, decisions } = of;
  const message = `change #${change} did not finish: an attempt that still runs is waited for`;
  scope.emitFor(instance, { type: "service.reverting", level: "warn", message, data: { to: from } });
  const { strategy, scale } = begun.spec;
  const aim = {
    ...(from === undefined ? {} : { from }),
    to: begun.number,
    strategy: strategy.type,
    replicas: scale.replicas,
    kind: begun.spec.kind,
  };
  const leave = async ({ id, journal, context }: Deployment): Promise<DeploymentEffect> => {
    const request = { instance, release: begun, replicas: aim.replicas, strategy, deployment: id, journal };
    await scope.provider(instance).rollback({ ...request, previous: begun }, context);
    if (known.observed?.settled?.schedule !== undefined) {
      const back = await releaseBefore(scope, known, of);
      if (back !== undefined) return goBack(scope, known, { back, begun }, { id, journal, context });
    }
    return {
      outcome: "reverted",
      ...(from === undefined ? {} : { serving: from }),
      message: `release ${begun.number} is left`,
    };
  };
  return carryOut(scope, instance, aim, leave, { deployment, decisions });
}

/** The event of a way back that begins, and why it does. */
export function tellReverting(
  scope: ChangeScope,
  instance: InstanceIdentity,
  unfinished: UnfinishedDeployment,
  because?: string,
): void {
  scope.emitFor(instance, {
    type: "service.reverting",
    level: "warn",
    message: because === undefined ? whyBack(unfinished) : `goes back because of ${because}`,
    data: { to: unfinished.from },
  });
}

function whyBack({ change, to, pause }: UnfinishedDeployment): string {
  if (pause === undefined) return `change #${change} did not finish`;
  return `release ${to}, paused at step ${pause.step}, is aborted`;
}

async function removeFirst(
  scope: ChangeScope,
  { instance, observed }: KnownInstance,
  begun: Release | undefined,
  deployment: Deployment,
): Promise<DeploymentEffect> {
  if (observed?.isLegacy === true && begun !== undefined) return leaveToLegacy(scope, begun, deployment);
  await scope.provider(instance).deprovision({ instance, volumes: false }, deployment.context);
  return { outcome: "reverted", message: "nothing of it is left" };
}

/** The way back of a first release that was to take the place of what pctl 1.1 made: that serves again. */
async function leaveToLegacy(scope: ChangeScope, release: Release, deployment: Deployment): Promise<DeploymentEffect> {
  const { id, journal, context } = deployment;
  const { instance, spec } = release;
  await journal.decide({ kind: "revert" });
  const request = { instance, release, replicas: spec.scale.replicas, strategy: withoutPauses(spec.strategy) };
  try {
    await scope.provider(instance).deploy({ ...request, deployment: id, journal }, context);
  } catch (error) {
    if (!isCtrlPlaneError(error) || error.failure?.reverted !== true) throw error;
  }
  return { outcome: "reverted", message: "what pctl 1.1 made serves again" };
}

/** A way back that fails holds what it reached: there is nothing before it to go back to. */
async function goBack(
  scope: ChangeScope,
  known: KnownInstance,
  { back: release, begun }: { readonly back: Release; readonly begun: Release | undefined },
  deployment: Deployment,
): Promise<DeploymentEffect> {
  const settled = known.observed?.settled;
  const isSame = settled?.releaseId === release.id;
  const completedAt = await completionOf(scope, release);
  const target = {
    release,
    // To leave a job as it was means to end the service that was to replace it.
    previous: release.spec.kind === "job" ? begun : undefined,
    settled,
    replicas: isSame ? settled.replicas : release.spec.scale.replicas,
    isRollback: true,
    ...(completedAt === undefined ? {} : { completedAt }),
    strategy: { ...release.spec.strategy, onFailure: "hold" as const },
    ...(isSame && settled.scaledBy !== undefined ? { scaledBy: settled.scaledBy } : {}),
  };
  const journal: RolloutJournal = { decisions: [], decide: (decision) => deployment.journal.decide(decision) };
  const done = await rollOutAndVerify(scope, scope.provider(known.instance), target, { ...deployment, journal });
  return { ...done, outcome: "reverted" };
}

/** When a job that is to be as it was had ended with 0. */
async function completionOf(scope: ChangeScope, { instance, number, spec }: Release): Promise<string | undefined> {
  if (spec.kind !== "job") return undefined;
  const run = (await scope.platform(instance).ledger.lastRuns(scope.readContext())).get(instance.service);
  return run?.release === number && run.outcome === "completed" ? run.endedAt : undefined;
}

/** Why there is no way back from an unfinished deployment; undefined where there is one. */
export async function lostWayBack(scope: ChangeScope, known: KnownInstance): Promise<string | undefined> {
  const { instance, unfinished } = known;
  if (unfinished?.from === undefined) return undefined;
  const found = await scope
    .platform(instance)
    .ledger.openRelease(instance.service, unfinished.from, scope.readContext());
  if (found === undefined) return `release ${unfinished.from} of ${instance.service} is not on record`;
  return found.opened ? undefined : `release ${unfinished.from} of ${instance.service} was sealed with another key`;
}

/** The release that an unfinished deployment brings, as far as it can be read without the key. */
async function releaseBegun(
  scope: ChangeScope,
  { instance }: KnownInstance,
  { to }: UnfinishedDeployment,
): Promise<Release | undefined> {
  if (to === undefined) return undefined;
  const found = await scope.platform(instance).ledger.openRelease(instance.service, to, scope.readContext());
  return found === undefined ? undefined : { ...found.release, instance };
}

async function releaseBefore(
  scope: ChangeScope,
  { instance }: KnownInstance,
  unfinished: UnfinishedDeployment,
): Promise<Release | undefined> {
  if (unfinished.from === undefined) return undefined;
  const release = await scope.platform(instance).ledger.release(instance.service, unfinished.from, scope.readContext());
  if (release === undefined) {
    throw new CtrlPlaneError(
      "NOT_FOUND",
      `release ${unfinished.from} of ${instance.service}, to go back to, is not on record`,
      {
        target: instance.name,
        hint: `pctl destroy ${instance.service} clears it; its volumes stay`,
      },
    );
  }
  return { ...release, instance };
}
