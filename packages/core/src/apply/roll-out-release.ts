import { CtrlPlaneError } from "../errors/error.ts";
import { leastReplicas, type InstanceStatus, type SettledRelease } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { ReplicaCount } from "../model/resources.ts";
import type { StrategySpec } from "../model/spec.ts";
import type { ScheduleStatus } from "../model/schedule.ts";
import { isScheduled } from "../rollout/scheduled-job.ts";
import type { Provider } from "../provider/provider.ts";
import type { DeployResult } from "../provider/requests.ts";
import type { ChangeScope } from "./change-scope.ts";
import type { Deployment, DeploymentEffect } from "./deployment.ts";

/** What is to serve, and what does so now. */
export interface Target {
  readonly release: Release;
  readonly previous: Release | undefined;
  readonly settled: SettledRelease | undefined;
  readonly replicas: ReplicaCount;
  readonly scaledBy?: SettledRelease["scaledBy"];
  /** By `rollback`, not `deploy`. */
  readonly isRollback: boolean;
  /** Of a job without a schedule that is gone back to: when it had ended with 0. */
  readonly completedAt?: string;
  /** Default: the release's own. */
  readonly strategy?: StrategySpec;
}

/** The rollout, and then the platform's own word on what serves: success means that it serves. */
export async function rollOutAndVerify(
  scope: ChangeScope,
  provider: Provider,
  target: Target,
  deployment: Deployment,
): Promise<DeploymentEffect> {
  const { release, previous, settled } = target;
  const request = {
    instance: release.instance,
    release,
    replicas: target.replicas,
    strategy: target.strategy ?? release.spec.strategy,
    deployment: deployment.id,
    journal: deployment.journal,
    ...(previous === undefined ? {} : { previous }),
    ...(target.scaledBy === undefined ? {} : { scaledBy: target.scaledBy }),
  };
  const completed = target.completedAt === undefined ? {} : { completedAt: target.completedAt };
  const result: DeployResult = target.isRollback
    ? await provider.rollback({ ...request, ...completed }, deployment.context)
    : await provider.deploy(
        { ...request, ...(settled === undefined ? {} : { previousReplicas: settled.replicas }) },
        deployment.context,
      );
  return result.state === "paused"
    ? tellPaused(scope, release, result, deployment)
    : proveServing(scope, target, result.status, deployment);
}

/** Tells where it is paused. */
export function tellPaused(
  scope: ChangeScope,
  release: Release,
  { step, until, status }: Extract<DeployResult, { state: "paused" }>,
  deployment: Deployment,
): DeploymentEffect {
  const current = status.revisions.find((each) => each.replicaHash === release.revision.replicaHash);
  const { ready = 0, weight = 0 } = current ?? {};
  const message = `paused at step ${step}: release ${release.number} gets ${Math.round(weight)} %, ${ready} ready`;
  const paused = { step, ...(until === undefined ? {} : { until }) };
  const event = { type: "service.paused", level: "warn", release: release.number, message } as const;
  scope.emitFor(release.instance, { ...event, data: { ...paused, weight, ready } }, deployment.id);
  return { outcome: "paused", message, paused };
}

/** `status`: the platform's own word on what serves now. Throws where that is another release, or too little of it. */
export function proveServing(
  scope: ChangeScope,
  { release, replicas }: Pick<Target, "release" | "replicas">,
  status: InstanceStatus,
  deployment: Deployment,
): DeploymentEffect {
  verify(release, replicas, status);
  const message = describeServing(release, status);
  scope.emitFor(
    release.instance,
    {
      type: "service.done",
      release: release.number,
      message,
      data: { outcome: "succeeded", serving: release.number, addresses: status.addresses },
    },
    deployment.id,
  );
  return { outcome: "succeeded", serving: release.number, message };
}

function verify(release: Release, replicas: ReplicaCount, status: InstanceStatus): void {
  const { instance } = release;
  const served = status.settled;
  const target = { provider: instance.provider, target: instance.name };
  if (served?.releaseId !== release.id) {
    const other = served === undefined ? "none" : `release ${served.number}`;
    throw new CtrlPlaneError(
      "INTERNAL",
      `${instance.name}: release ${release.number} was deployed, and the platform says that ${other} serves`,
      target,
    );
  }
  if (served.completedAt !== undefined) return;
  if (isScheduled(release)) return verifySchedule(release, status);
  const { wanted: held } = status;
  const wanted =
    leastReplicas({ settled: { ...served, replicas }, ...(held === undefined ? {} : { wanted: held }) }) ?? 0;
  const ready = readyOf(release, status);
  if (ready < wanted) {
    throw new CtrlPlaneError(
      "FAILED",
      `${instance.name}: ${ready} of ${wanted} replicas of release ${release.number} are ready`,
      {
        ...target,
        failure: { verdict: "UNHEALTHY", reverted: false },
      },
    );
  }
}

function verifySchedule({ instance, number }: Release, { schedule }: InstanceStatus): void {
  if (schedule?.release === number) return;
  const other = schedule === undefined ? "nothing" : `release ${schedule.release}`;
  throw new CtrlPlaneError(
    "INTERNAL",
    `${instance.name}: release ${number} was registered, and the platform says that ${other} runs by a schedule`,
    { provider: instance.provider, target: instance.name },
  );
}

function readyOf(release: Release, status: InstanceStatus): number {
  return status.revisions
    .filter((each) => each.replicaHash === release.revision.replicaHash)
    .reduce((sum, each) => sum + each.ready, 0);
}

function describeServing(release: Release, status: InstanceStatus): string {
  if (status.state === "completed") return "completed, exit 0";
  if (status.schedule !== undefined) return describeSchedule(status.schedule);
  const current = status.revisions.filter((each) => each.replicaHash === release.revision.replicaHash);
  const desired = current.reduce((sum, each) => sum + each.desired, 0);
  return `release ${release.number} serves, ${readyOf(release, status)} of ${desired} ready`;
}

/** `scheduled, next 2026-11-28 03:00 UTC`. */
export function describeSchedule({ nextAt }: ScheduleStatus): string {
  return nextAt === undefined ? "scheduled" : `scheduled, next ${nextAt.slice(0, 16).replace("T", " ")} UTC`;
}
