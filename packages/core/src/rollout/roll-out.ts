import type { ErrorCode } from "../errors/codes.ts";
import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { SettledRelease } from "../model/observed.ts";
import { revisionKey, type Release } from "../model/release.ts";
import type { StrategyName } from "../model/spec.ts";
import type { ProviderContext } from "../provider/context.ts";
import { failedRelease, failureOf, isLostLease } from "./failure.ts";
import { recreate } from "./recreate.ts";
import { decideReplicas } from "./replica-count.ts";
import { hold, revert } from "./revert.ts";
import type { RevisionDriver } from "./revision-driver.ts";
import { rolling } from "./rolling.ts";
import { settledRelease, type Rollout, type RolloutRequest } from "./rollout.ts";
import { staged, type RolloutPause } from "./staged.ts";
import { withoutPauses } from "./stages.ts";
import { stepsOf } from "./steps.ts";
import { messageOf } from "../errors/message-of.ts";

/** Resolves with the pause that was reached, if any. */
type Strategy = (rollout: Rollout, context: ProviderContext) => Promise<RolloutPause | undefined>;

const strategies: Readonly<Record<StrategyName, Strategy>> = {
  recreate: atOnce(recreate),
  rolling: atOnce(rolling),
  blue_green: staged,
  canary: staged,
};

function atOnce(strategy: (rollout: Rollout) => Promise<void>): Strategy {
  return async (rollout) => {
    await strategy(rollout);
    return undefined;
  };
}

/** `aborted`: the journal held an `abort`, and the previous release serves again; without one nothing is left. */
export type RolloutEnd =
  | { readonly state: "serving" }
  | { readonly state: "paused"; readonly step: number; readonly until?: string }
  | { readonly state: "aborted" };

/**
 * Brings an instance to a release by its strategy. From whatever state it finds (half a deployment, three revisions, none) it
 * resolves when the release alone runs, is routed on all its replicas, and is settled; or when it has reached a pause, which is
 * in the journal: called again with that, it goes on once the pause is over. Otherwise it throws:
 *
 * - `FAILED` with a verdict, or what the platform refused with its own code, when the release failed: with `failure.reverted` true when the previous release serves again (without one,
 *   when nothing is left); false with `onFailure: "hold"`, or where the previous one does not become ready either.
 * - `CANCELLED` after the step in hand, when `context.signal` aborted; nothing is taken back, the same call goes on later.
 * - what the platform threw, where it judged nothing (unreachable, lease lost, rate limit); the same call goes on later.
 *
 * A journal that holds a `revert` has that finished, and nothing else; then the recorded failure is thrown. One
 * that holds an `abort` has that finished; `FAILED` is thrown where the previous release does not become ready.
 */
export async function rollOut(
  driver: RevisionDriver,
  request: RolloutRequest,
  context: ProviderContext,
): Promise<RolloutEnd> {
  const rollout = await prepare(driver, request, context);
  const begun = request.journal.decisions.findLast((each) => each.kind === "revert");
  if (begun !== undefined) {
    const reverted = await revert(rollout);
    throw failedRelease(rollout.request.release, begun.failure ?? { verdict: "EXITED" }, reverted);
  }
  if (request.journal.decisions.some((each) => each.kind === "abort")) return abort(rollout);
  try {
    return await byStrategy(driver, rollout, context);
  } catch (error) {
    throw await conclude(rollout, error, context);
  }
}

async function byStrategy(driver: RevisionDriver, rollout: Rollout, context: ProviderContext): Promise<RolloutEnd> {
  const { type } = rollout.request.strategy;
  const isStaged = type === "blue_green" || type === "canary";
  if (rollout.replicas === 0) await endAll(rollout);
  else if (driver.handOver !== undefined && !isStaged) await handOver(driver.handOver, rollout, context);
  else {
    const pause = await strategies[type](rollout, context);
    if (pause !== undefined)
      return { state: "paused", step: pause.step, ...(pause.until === undefined ? {} : { until: pause.until }) };
  }
  return { state: "serving" };
}

async function abort(rollout: Rollout): Promise<RolloutEnd> {
  if (await revert(rollout)) return { state: "aborted" };
  const { release, previous } = rollout.request;
  const back = previous === undefined ? "what served before" : `release ${previous.number}`;
  throw new CtrlPlaneError("FAILED", `release ${release.number} was aborted, and ${back} does not become ready`, {
    target: release.instance.name,
    hint: `pctl logs ${release.instance.service} shows what it printed`,
    failure: { verdict: "UNHEALTHY", reverted: false },
  });
}

async function prepare(driver: RevisionDriver, request: RolloutRequest, context: ProviderContext): Promise<Rollout> {
  const platform = stepsOf(driver, request, context);
  const seen = await platform.observe();
  const { settled } = seen;
  // A job that came before is not brought back by running it again.
  const isBefore = request.previous !== undefined && request.previous.spec.kind !== "job";
  const previous = isBefore ? atRunningGeneration(request.previous, settled) : undefined;
  const release = atRunningGeneration(request.release, settled);
  const means = driver.rangeMeans ?? "minimum";
  const previousCount =
    request.previousReplicas ??
    (settled?.releaseId === previous?.id ? settled?.replicas : previous?.spec.scale.replicas);
  const { previous: _previous, ...rest } = request;
  // What serves already needs no comparison: only what was altered of it is replaced.
  const isSame = previous?.id === release.id && release.specHash === previous.specHash;
  const strategy = isSame ? withoutPauses(request.strategy) : request.strategy;
  const known = { ...rest, strategy, release, ...(previous === undefined ? {} : { previous }) };
  return {
    request: known,
    replicas: decideReplicas(request.replicas, seen, means),
    previousReplicas: previousCount === undefined ? 0 : decideReplicas(previousCount, seen, means),
    platform: stepsOf(driver, known, context),
    seen,
  };
}

/** Replicas that a restart replaced by equal ones serve as well as the first: nothing but a restart raises the generation. */
function atRunningGeneration(release: Release, settled: SettledRelease | undefined): Release {
  const { revision } = release;
  const isOlder = settled?.replicaHash === revision.replicaHash && settled.generation > revision.generation;
  return isOlder ? { ...release, revision: { ...revision, generation: settled.generation } } : release;
}

/** No replica is wanted: nothing is published, nothing runs. */
async function endAll({ request, platform, seen }: Rollout): Promise<void> {
  await platform.weigh(request.release, {});
  for (const each of seen.revisions) await platform.retire(each.key, 0);
  await platform.settle(settledRelease(request.release, request));
}

async function handOver(
  carryOut: NonNullable<RevisionDriver["handOver"]>,
  { request, replicas, platform, seen }: Rollout,
  context: ProviderContext,
): Promise<void> {
  const key = revisionKey(request.release.revision);
  await carryOut(request.release, replicas, context);
  for (const each of seen.revisions) {
    if (each.key !== key) await platform.retire(each.key, 0);
  }
  await platform.settle(settledRelease(request.release, request));
}

/** What becomes of a rollout that threw; resolves with what is to be thrown. */
async function conclude(rollout: Rollout, error: unknown, context: ProviderContext): Promise<unknown> {
  const { request } = rollout;
  if (context.signal.aborted) return cancelled(error);
  const failure = failureOf(error);
  if (failure === undefined) return error;
  context.progress({
    type: "replica.failed",
    message: messageOf(error),
    release: request.release.number,
    ...(failure.replica === undefined ? {} : { replica: failure.replica }),
    data: { ...failure, ...(isCtrlPlaneError(error) && error.hint !== undefined ? { hint: error.hint } : {}) },
  });
  if (request.strategy.onFailure === "revert") await request.journal.decide({ kind: "revert", failure });
  try {
    const reverted = request.strategy.onFailure === "hold" ? await hold(rollout) : await revert(rollout);
    return failedRelease(request.release, failure, reverted, error);
  } catch (second) {
    // Nothing may follow a lost lease or a cancelled call, and what was refused from the first call on, as not ours, is told as it is.
    // Any other error must not hide why the release failed.
    const isRefused = hasCode(error, "CONFLICT") && hasCode(second, "CONFLICT");
    if (isRefused || isLostLease(second) || hasCode(second, "CANCELLED")) return second;
    return unfinished(rollout, failure, error, second);
  }
}

function hasCode(error: unknown, code: ErrorCode): boolean {
  return isCtrlPlaneError(error) && error.code === code;
}

function cancelled(error: unknown): CtrlPlaneError {
  if (isCtrlPlaneError(error) && error.code === "CANCELLED") return error;
  return new CtrlPlaneError("CANCELLED", "stopped before the release served", {
    hint: "the next pctl deploy goes on from here",
    cause: error,
  });
}

function unfinished(
  rollout: Rollout,
  failure: NonNullable<ReturnType<typeof failureOf>>,
  error: unknown,
  second: unknown,
): CtrlPlaneError {
  const why = messageOf(second);
  const told = failedRelease(rollout.request.release, failure, false, error);
  return new CtrlPlaneError(told.code, `${told.message}; the way back was not finished: ${why}`, {
    hint: "pctl deploy finishes the way back first",
    failure: { ...failure, reverted: false },
    ...(told.target === undefined ? {} : { target: told.target }),
    cause: new AggregateError([error, second]),
  });
}
