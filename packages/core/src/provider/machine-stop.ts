import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { Release } from "../model/release.ts";
import { inParallel } from "../rollout/in-parallel.ts";
import type { ReplicaDriver } from "../rollout/replica-driver.ts";
import { endReplica, type Ending } from "../rollout/retire-replicas.ts";
import { beforeEffect } from "../rollout/with-signal.ts";
import type { ProviderContext } from "./context.ts";

/** Unrouted, drained, stopped; the replicas stay as records. It is marked first, so that a crash on the way leaves no doubt about what is wanted. */
export async function stopInstance(
  driver: ReplicaDriver,
  instance: InstanceIdentity,
  ending: Ending,
  context: ProviderContext,
): Promise<void> {
  await beforeEffect(context);
  await driver.markStopped(instance, true, context);
  await beforeEffect(context);
  await driver.route(instance, undefined, context);
  const replicas = await driver.list(instance, context);
  await inParallel(replicas, ending.parallel, context, (each, inner) => endReplica(driver, each, ending, inner));
}

/** What `start` throws: a release that failed to start is stopped again, as it was before. */
export async function stopAfterFailedStart(
  driver: ReplicaDriver,
  release: Release,
  parallel: number,
  error: unknown,
  context: ProviderContext,
): Promise<unknown> {
  if (!isCtrlPlaneError(error) || error.failure === undefined) return error;
  await stopInstance(driver, release.instance, { ...release.spec.stop, drainMs: 0, parallel }, context);
  return new CtrlPlaneError(error.code, error.message, {
    failure: { ...error.failure, reverted: true },
    cause: error,
    ...(error.target === undefined ? {} : { target: error.target }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
