import { CtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { JobRequest } from "./job.ts";
import type { Replica, ReplicaDriver, ReplicaEnd } from "./replica-driver.ts";
import { beforeEffect, withSignal } from "./with-signal.ts";

/** How often one call starts an attempt whose outcome stays unknown, where it may be repeated. */
const mostStarts = 3;

/** True of the replica that this deployment made for its job. */
export function isAttempt(replica: Replica, { release, deployment }: JobRequest): boolean {
  return replica.deployment === deployment && replica.replicaHash === release.revision.replicaHash;
}

/**
 * The attempt of this deployment: made and started where it is not yet, waited for in any case. Resolves with when it ended with
 * 0 (ISO 8601). Each start is decided before it is made: after a crash a replica that is gone was an attempt, or never one.
 */
export async function awaitAttempt(
  driver: ReplicaDriver,
  request: JobRequest,
  context: ProviderContext,
): Promise<string> {
  const { release, journal } = request;
  const mayRepeat = release.spec.job?.retry === true;
  let begun = journal.decisions.filter((each) => each.kind === "attempt").length;
  const found = (await driver.list(release.instance, context)).find((each) => isAttempt(each, request));
  if (found === undefined && begun > 0 && !mayRepeat) throw unknownOutcome(request);
  const replica = found ?? (await create(driver, request, context));
  let end = await awaitEnd(driver, replica, request, context);
  for (let starts = 0; starts < mostStarts; starts += 1) {
    const isRepeated = end.state === "unknown" && mayRepeat;
    if (end.state !== "unstarted" && !isRepeated) break;
    // To be started again it has to be stopped; its log goes on.
    if (isRepeated) await stop(driver, replica, request, context);
    begun += 1;
    await journal.decide({ kind: "attempt", attempt: begun, at: new Date(context.clock.now()).toISOString() });
    await beforeEffect(context);
    await driver.start(replica, context);
    context.progress({
      type: "replica.ready",
      message: begun === 1 ? "started" : `started, attempt ${begun}`,
      replica: replica.name,
      release: release.number,
    });
    end = await awaitEnd(driver, replica, request, context);
  }
  return judge(end, request);
}

/** How a replica ended; one that takes longer than it may is ended. */
export async function awaitEnd(
  driver: ReplicaDriver,
  replica: Replica,
  request: JobRequest,
  context: ProviderContext,
): Promise<ReplicaEnd> {
  const { release } = request;
  const waitEnd = driver.waitEnd?.bind(driver);
  if (waitEnd === undefined)
    throw new CtrlPlaneError("UNSUPPORTED", `${release.instance.provider} runs no jobs`, {
      target: release.instance.name,
    });
  const timeoutMs = release.spec.job?.timeoutMs;
  if (timeoutMs === undefined) return waitEnd(replica, context);
  const age = replica.startedAt === undefined ? 0 : context.clock.now() - Date.parse(replica.startedAt);
  const late = new AbortController();
  const over = new AbortController();
  context.clock.sleep(Math.max(0, timeoutMs - age), over.signal).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    return await waitEnd(replica, withSignal(context, late.signal));
  } catch (error) {
    if (!late.signal.aborted || context.signal.aborted) throw error;
  } finally {
    over.abort();
  }
  await stop(driver, replica, request, context);
  const end = await waitEnd(replica, context);
  if (end.state === "completed") return end;
  const message = `${replica.name} did not end within ${Math.round(timeoutMs / 1000)} s, and was ended`;
  const failure = {
    replica: replica.name,
    ...(end.state === "failed" ? end.failure : {}),
    verdict: "START_TIMEOUT",
  } as const;
  return {
    state: "failed",
    message,
    failure,
    hint: `services.${release.instance.service}.strategy.timeout says how long it may take`,
  };
}

async function create(driver: ReplicaDriver, request: JobRequest, context: ProviderContext): Promise<Replica> {
  const { release, deployment } = request;
  await beforeEffect(context);
  const replica = await driver.create({ release, ordinal: 1, replicas: 1, deployment }, context);
  context.progress({ type: "replica.created", message: "created", replica: replica.name, release: release.number });
  return replica;
}

async function stop(
  driver: ReplicaDriver,
  replica: Replica,
  request: JobRequest,
  context: ProviderContext,
): Promise<void> {
  await beforeEffect(context);
  await driver.stop(replica, request.release.spec.stop, context);
}

function judge(end: ReplicaEnd, request: JobRequest): string {
  if (end.state === "completed") return end.at;
  if (end.state !== "failed") throw unknownOutcome(request);
  const { name } = request.release.instance;
  throw new CtrlPlaneError("FAILED", end.message, {
    target: name,
    failure: end.failure,
    ...(end.hint === undefined ? {} : { hint: end.hint }),
  });
}

function unknownOutcome({ release }: JobRequest): CtrlPlaneError {
  const { service, name } = release.instance;
  return new CtrlPlaneError("FAILED", `${name} was started, and nobody saw how it ended`, {
    target: name,
    hint: `nothing repeats it by itself; if it may run twice: services.${service}.retry: true, then pctl deploy`,
  });
}
