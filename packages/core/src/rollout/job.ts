import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { DeployRequest, RollbackRequest } from "../provider/requests.ts";
import { awaitAttempt, awaitEnd, isAttempt } from "./job-attempt.ts";
import { failedRelease, failureOf } from "./failure.ts";
import { isRunning } from "./ensure-replicas.ts";
import type { Replica, ReplicaDriver } from "./replica-driver.ts";
import { retireReplicas } from "./retire-replicas.ts";
import { endSchedule, isService, restoreSchedule } from "./scheduled-job.ts";
import { settledRelease } from "./rollout.ts";
import { beforeEffect } from "./with-signal.ts";
import { messageOf } from "../errors/message-of.ts";

/** Of one instance that is a job: what `deploy` and `rollback` are given. */
export type JobRequest = Omit<DeployRequest, "previousReplicas"> & Pick<RollbackRequest, "completedAt">;

/**
 * Runs a job's release once: resolves when its attempt has ended with 0 and is settled; nothing of it runs then. At most one
 * attempt of the instance runs at a time: those of other releases are waited for. Called again after a crash it
 * waits for the attempt that was begun, and starts none a second time. Throws
 *
 * - `FAILED` with `failure.reverted` true when the attempt failed: its replica is gone, its log stays;
 * - `FAILED` without `failure` when nobody knows how an attempt ended; with `retry: true` it is repeated instead;
 * - `CANCELLED` when `context.signal` aborted: the attempt goes on, and the same call waits for it later.
 */
export async function runJob(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<void> {
  const { release, journal } = request;
  const begun = journal.decisions.findLast((each) => each.kind === "revert");
  if (begun !== undefined) {
    await removeAttempts(driver, request, context);
    await restoreBefore(driver, request, context);
    throw failedRelease(release, begun.failure ?? { verdict: "EXITED" }, true);
  }
  try {
    await carryOut(driver, request, context);
  } catch (error) {
    throw await conclude(driver, request, error, context);
  }
}

/**
 * Leaves a job as it is: nothing is run. An attempt of this deployment that still runs is waited for, and its replica goes; where
 * `previous` is a service, its replicas go; a schedule ends. What was settled in its place is not any more.
 */
export async function leaveJob(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<void> {
  const { release, previous } = request;
  const { instance } = release;
  const isReplaced = previous !== undefined && previous.id !== release.id;
  if (previous?.id !== release.id) await endSchedule(driver, instance, context);
  if (isReplaced && previous.spec.kind === "service") {
    await beforeEffect(context);
    await driver.route(instance, undefined, context);
    await remove(driver, request, await driver.list(instance, context), context);
  } else {
    for (const each of await attempts(driver, request, context)) await awaitEnd(driver, each, request, context);
    await removeAttempts(driver, request, context);
  }
  const settled = (await driver.instance(instance, context))?.settled;
  if (!isReplaced || settled?.releaseId !== previous.id) return;
  const { completedAt = new Date(context.clock.now()).toISOString() } = request;
  await beforeEffect(context);
  await driver.settle(instance, { ...settledRelease(release, request), completedAt }, context);
}

async function carryOut(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<void> {
  const { release } = request;
  const { instance } = release;
  const settled = (await driver.instance(instance, context))?.settled;
  const isDone = settled?.releaseId === release.id && settled.completedAt !== undefined;
  if (!isDone) {
    const wasService = isService(settled);
    // Before the attempt: one at a time.
    await endSchedule(driver, instance, context);
    if (!wasService) await endOthers(driver, request, context);
    const completedAt = await awaitAttempt(driver, request, context);
    if (wasService) {
      await beforeEffect(context);
      await driver.route(instance, undefined, context);
    }
    await beforeEffect(context);
    // Before its replica goes: that it ended with 0 must be on record as long as it is to be seen.
    await driver.settle(instance, { ...settledRelease(release, request), completedAt }, context);
    await beforeEffect(context);
    await driver.markStopped(instance, false, context);
  }
  await remove(driver, request, await driver.list(instance, context), context);
}

/** Attempts of earlier releases that nobody waited for: one at a time. */
async function endOthers(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<void> {
  const others = (await driver.list(request.release.instance, context)).filter((each) => !isAttempt(each, request));
  for (const each of others) {
    if (isRunning(each)) tellWaiting(each, request, context);
    await awaitEnd(driver, each, request, context);
  }
  await remove(driver, request, others, context);
}

function tellWaiting(replica: Replica, { release }: JobRequest, context: ProviderContext): void {
  const message = "waits for an earlier attempt that still runs";
  context.progress({ type: "replica.ready", message, replica: replica.name, release: release.number });
}

async function conclude(
  driver: ReplicaDriver,
  request: JobRequest,
  error: unknown,
  context: ProviderContext,
): Promise<unknown> {
  const { release } = request;
  if (context.signal.aborted) return cancelled(request, error);
  // Without a verdict nobody judged the attempt: the same call goes on later.
  const failure = isCtrlPlaneError(error) && error.code === "FAILED" ? error.failure : failureOf(error);
  if (failure === undefined) return error;
  context.progress({
    type: "replica.failed",
    message: messageOf(error),
    release: release.number,
    ...(failure.replica === undefined ? {} : { replica: failure.replica }),
    data: { ...failure },
  });
  await request.journal.decide({ kind: "revert", failure });
  await removeAttempts(driver, request, context);
  await restoreBefore(driver, request, context);
  return failedRelease(release, failure, true, error);
}

/** The schedule whose place it was to take is in effect again. */
async function restoreBefore(
  driver: ReplicaDriver,
  { release, previous }: JobRequest,
  context: ProviderContext,
): Promise<void> {
  const settled = (await driver.instance(release.instance, context))?.settled;
  await restoreSchedule(driver, previous, settled, context);
}

function cancelled({ release }: JobRequest, error: unknown): CtrlPlaneError {
  const { service } = release.instance;
  return new CtrlPlaneError(
    "CANCELLED",
    `release ${release.number} of ${service} had not ended, and was left running`,
    {
      hint: `the next pctl deploy waits for it; pctl destroy ${service} ends it`,
      cause: error,
    },
  );
}

async function attempts(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<Replica[]> {
  return (await driver.list(request.release.instance, context)).filter((each) => isAttempt(each, request));
}

async function removeAttempts(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<void> {
  await remove(driver, request, await attempts(driver, request, context), context);
}

async function remove(
  driver: ReplicaDriver,
  { release, strategy }: JobRequest,
  replicas: readonly Replica[],
  context: ProviderContext,
): Promise<void> {
  await retireReplicas(driver, replicas, { ...release.spec.stop, drainMs: strategy.drainMs, parallel: 8 }, context);
}
