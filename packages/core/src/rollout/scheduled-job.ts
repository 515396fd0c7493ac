import { CtrlPlaneError } from "../errors/error.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { SettledRelease } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { JobRequest } from "./job.ts";
import type { ReplicaDriver } from "./replica-driver.ts";
import { retireReplicas } from "./retire-replicas.ts";
import { settledRelease } from "./rollout.ts";
import { beforeEffect } from "./with-signal.ts";

/** True of a job that its platform runs by a schedule. */
export function isScheduled(release: Pick<Release, "spec"> | undefined): boolean {
  return release?.spec.kind === "job" && release.spec.job?.schedule !== undefined;
}

/**
 * Hands a release to the platform, which runs it by its schedule from then on: resolves once that is true and settled, without a
 * run. It takes the place of an earlier release's schedule, whose run, if one goes on, is left to end; of a service nothing runs
 * afterwards. Called again it does the same.
 */
export async function scheduleJob(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<void> {
  const { release, deployment, strategy } = request;
  const { instance, spec } = release;
  const schedule = spec.job?.schedule;
  if (driver.schedule === undefined || schedule === undefined)
    throw new CtrlPlaneError("UNSUPPORTED", `${instance.provider} runs nothing by a schedule`, {
      target: instance.name,
    });
  const before = (await driver.instance(instance, context))?.settled;
  await beforeEffect(context);
  await driver.schedule(instance, { release, deployment }, context);
  if (isService(before)) {
    await beforeEffect(context);
    await driver.route(instance, undefined, context);
    const others = (await driver.list(instance, context)).filter((each) => each.deployment !== deployment);
    const ending = { drainMs: strategy.drainMs, ...spec.stop, parallel: 8 };
    await retireReplicas(driver, others, ending, context);
  }
  await beforeEffect(context);
  await driver.settle(instance, { ...settledRelease(release, request), schedule }, context);
  await beforeEffect(context);
  await driver.markStopped(instance, false, context);
}

/**
 * As `scheduleJob`, where a deployment of the same id had begun something else: a service of it is gone before the schedule is in
 * effect, whose runs could not be told from it.
 */
export async function returnToSchedule(
  driver: ReplicaDriver,
  request: JobRequest,
  context: ProviderContext,
): Promise<void> {
  const { release, previous, strategy } = request;
  const { instance } = release;
  if (previous?.spec.kind === "service") {
    await beforeEffect(context);
    await driver.route(instance, undefined, context);
    const ending = { drainMs: strategy.drainMs, ...previous.spec.stop, parallel: 8 };
    await retireReplicas(driver, await driver.list(instance, context), ending, context);
  }
  await scheduleJob(driver, request, context);
}

/** From its return nothing of the instance is begun by a schedule any more; a run that goes on does so. Without one, nothing is done. */
export async function endSchedule(
  driver: ReplicaDriver,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<void> {
  if (driver.schedule === undefined || (await driver.instance(instance, context))?.schedule === undefined) return;
  await beforeEffect(context);
  await driver.schedule(instance, undefined, context);
}

/** What was to take the place of `previous` failed: where that is a job by a schedule, it is in effect again. */
export async function restoreSchedule(
  driver: ReplicaDriver,
  previous: Release | undefined,
  settled: SettledRelease | undefined,
  context: ProviderContext,
): Promise<void> {
  if (driver.schedule === undefined || previous === undefined || !isScheduled(previous)) return;
  if (settled?.releaseId !== previous.id) return;
  await beforeEffect(context);
  await driver.schedule(previous.instance, { release: previous, deployment: settled.deployment }, context);
}

/** What was settled is a service, and no job of either kind. */
export function isService(settled: SettledRelease | undefined): boolean {
  return settled !== undefined && settled.completedAt === undefined && settled.schedule === undefined;
}
