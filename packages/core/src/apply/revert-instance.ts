import { CtrlPlaneError } from "../errors/error.ts";
import type { DeploymentResult } from "../model/change.ts";
import type { Release } from "../model/release.ts";
import type { KnownInstance, UnfinishedDeployment } from "../plan/input.ts";
import type { RolloutJournal } from "../rollout/journal.ts";
import type { ChangeScope } from "./change-scope.ts";
import { carryOut, type Deployment, type DeploymentEffect } from "./deployment.ts";
import { recordServing, rollOutAndVerify } from "./deploy-instance.ts";

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
  const back = await releaseBefore(scope, known, unfinished);
  scope.emitFor(instance, {
    type: "service.reverting",
    level: "warn",
    message: because === undefined ? `change #${unfinished.change} did not finish` : `goes back because of ${because}`,
    data: { to: unfinished.from },
  });
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
      back === undefined ? removeFirst(scope, known, deployment) : goBack(scope, known, back, deployment),
    {
      deployment: unfinished.deployment,
      decisions: [{ kind: "revert", ...(because === undefined ? {} : { because }) }],
    },
  );
  if (result.outcome === "reverted" && back !== undefined) await recordServing(scope, back);
  return result;
}

async function removeFirst(
  scope: ChangeScope,
  { instance }: KnownInstance,
  deployment: Deployment,
): Promise<DeploymentEffect> {
  await scope.provider(instance).deprovision({ instance, volumes: false }, deployment.context);
  return { outcome: "reverted", message: "nothing of it is left" };
}

/** A way back that fails holds what it reached: there is nothing before it to go back to. */
async function goBack(
  scope: ChangeScope,
  known: KnownInstance,
  release: Release,
  deployment: Deployment,
): Promise<DeploymentEffect> {
  const settled = known.observed?.settled;
  const isSame = settled?.releaseId === release.id;
  const target = {
    release,
    previous: undefined,
    settled,
    replicas: isSame ? settled.replicas : release.spec.scale.replicas,
    isRollback: true,
    strategy: { ...release.spec.strategy, onFailure: "hold" as const },
    ...(isSame && settled.scaledBy !== undefined ? { scaledBy: settled.scaledBy } : {}),
  };
  const journal: RolloutJournal = { decisions: [], decide: (decision) => deployment.journal.decide(decision) };
  const done = await rollOutAndVerify(scope, scope.provider(known.instance), target, { ...deployment, journal });
  return { ...done, outcome: "reverted" };
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
