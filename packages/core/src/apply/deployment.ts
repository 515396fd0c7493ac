import type { DeploymentResult } from "../model/change.ts";
import { newId } from "../model/ids.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { ReplicaCount } from "../model/resources.ts";
import type { CutOverTraffic } from "../model/traffic.ts";
import type { SettledRelease } from "../model/observed.ts";
import type { StrategyName } from "../model/spec.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { RolloutDecision, RolloutJournal } from "../rollout/journal.ts";
import type { Intent } from "../state/intent.ts";
import type { ChangeScope } from "./change-scope.ts";
import { beganAt, runEnd } from "./job-run.ts";
import { failedResult, isInterruption } from "./outcome.ts";

/** What a deployment sets out to do. */
export interface DeploymentAim {
  readonly from?: number;
  readonly to?: number;
  readonly strategy: StrategyName;
  readonly replicas: ReplicaCount;
  readonly scaledBy?: SettledRelease["scaledBy"];
  /** What fails is kept for inspection (`onfailure: hold`). */
  readonly holds?: boolean;
  readonly kind?: "service" | "job";
  /** It takes the place of what pctl 1.1 made, which serves again where it fails. */
  readonly isLegacy?: boolean;
  /** Nothing of it is unfinished, as was seen under the lease. */
  readonly isFresh?: boolean;
}

/** A deployment that has its intent on record. */
export interface Deployment {
  readonly id: string;
  readonly context: ProviderContext;
  readonly journal: RolloutJournal;
}

/** What an effect came to, when it succeeded. */
export interface DeploymentEffect {
  readonly outcome: "succeeded" | "paused" | "removed" | "reverted";
  readonly serving?: number;
  readonly paused?: DeploymentResult["paused"];
  readonly message: string;
}

/**
 * The frame around every effect on an instance: intent before it, record after it. An effect that ends for good, either way,
 * clears its intent; one that was interrupted, or whose end is unknown, leaves it for the next command. With `postpone` a
 * success or a pause is not ended here: whoever decides calls `end`, or goes back.
 */
export async function carryOut(
  scope: ChangeScope,
  instance: InstanceIdentity,
  aim: DeploymentAim,
  effect: (deployment: Deployment) => Promise<DeploymentEffect>,
  resumed?: { readonly deployment: string; readonly decisions: readonly RolloutDecision[] },
  postpone?: (deployment: string, end: () => Promise<void>) => void,
): Promise<DeploymentResult> {
  const { ledger } = scope.platform(instance);
  const records = scope.recordContext(scope.platform(instance));
  const begun = scope.core.clock.monotonic();
  const elapsed = (): number => Math.round(scope.core.clock.monotonic() - begun);
  const id = resumed?.deployment ?? newId("dep");
  const intent = makeIntent(scope, instance, aim, id, resumed?.decisions ?? []);
  await ledger.writeIntent(intent, records, { isFirst: aim.isFresh === true && resumed === undefined });
  let traffic: CutOverTraffic | undefined;
  const measured = (): { readonly traffic?: CutOverTraffic } => (traffic === undefined ? {} : { traffic });
  const deployment: Deployment = {
    id,
    context: scope.context(instance, {
      deployment: id,
      ...(aim.to === undefined ? {} : { release: aim.to }),
      onTraffic: (told) => (traffic = told),
    }),
    journal: makeJournal(intent.decisions, (decision) => ledger.decide(instance.service, decision, records)),
  };
  /** Before its intent goes: a run that ended is on record for as long as one that was begun. */
  const recordRun = async (error?: unknown): Promise<void> => {
    if (aim.kind !== "job" || aim.to === undefined) return;
    const { decisions } = deployment.journal;
    const end = runEnd(decisions, error);
    if (end === undefined) return;
    const { service } = instance;
    const at = { startedAt: beganAt(decisions) ?? intent.startedAt, endedAt: now(scope) };
    const of = { service, release: aim.to, deployment: id, change: scope.number, epoch: intent.epoch };
    await ledger.recordRun({ ...of, ...at, ...end }, records);
  };
  const finish = async (result: DeploymentResult, isOver: boolean): Promise<DeploymentResult> => {
    await ledger.finishDeployment(
      {
        id,
        change: scope.number,
        service: instance.service,
        ...(aim.from === undefined ? {} : { from: aim.from }),
        ...(aim.to === undefined ? {} : { to: aim.to }),
        outcome: result.outcome,
        ...(result.verdict === undefined ? {} : { verdict: result.verdict }),
        ...measured(),
        startedAt: intent.startedAt,
        finishedAt: now(scope),
      },
      records,
    );
    if (isOver) await ledger.clearIntent(instance.service, id, records);
    return result;
  };
  try {
    const done = await effect(deployment);
    const result: DeploymentResult = {
      service: instance.service,
      instance: instance.id,
      provider: instance.provider,
      deployment: id,
      outcome: done.outcome,
      ...(aim.to === undefined ? {} : { attempted: aim.to }),
      ...(done.serving === undefined ? {} : { serving: done.serving }),
      ...(done.paused === undefined ? {} : { paused: done.paused, reason: done.message }),
      ...measured(),
      elapsedMs: elapsed(),
    };
    if (done.outcome === "succeeded") await recordRun();
    if (postpone !== undefined && (done.outcome === "succeeded" || done.outcome === "paused")) {
      postpone(id, async () => void (await finish(result, done.outcome !== "paused")));
      return result;
    }
    return await finish(result, done.outcome !== "paused");
  } catch (error) {
    if (isInterruption(error)) throw error;
    const failed = failedResult(instance, error, {
      deployment: id,
      ...(aim.to === undefined ? {} : { attempted: aim.to }),
      ...(aim.from === undefined ? {} : { serving: aim.from }),
      elapsedMs: elapsed(),
      ...(aim.holds === undefined ? {} : { holds: aim.holds }),
    });
    const result = { ...failed, ...measured() };
    reportFailure(scope, instance, { id, aim }, result, error);
    await recordRun(error);
    return finish(result, result.outcome === "reverted");
  }
}

function now(scope: ChangeScope): string {
  return new Date(scope.core.clock.now()).toISOString();
}

function makeIntent(
  scope: ChangeScope,
  instance: InstanceIdentity,
  aim: DeploymentAim,
  deployment: string,
  decisions: readonly RolloutDecision[],
): Intent {
  const { from, to, scaledBy, strategy, replicas } = aim;
  return {
    deployment,
    change: scope.number,
    service: instance.service,
    instance: instance.id,
    command: scope.command,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(aim.kind === "job" ? { isJob: true } : {}),
    strategy,
    replicas,
    ...(scaledBy === undefined ? {} : { scaledBy }),
    epoch: scope.epoch(instance.platformId),
    startedAt: now(scope),
    decisions,
  };
}

function makeJournal(
  before: readonly RolloutDecision[],
  write: (decision: RolloutDecision) => Promise<void>,
): RolloutJournal {
  const decisions = [...before];
  return {
    decisions,
    decide: async (decision) => {
      await write(decision);
      decisions.push(decision);
    },
  };
}

function reportFailure(
  scope: ChangeScope,
  instance: InstanceIdentity,
  deployment: { readonly id: string; readonly aim: DeploymentAim },
  result: DeploymentResult,
  error: unknown,
): void {
  const failure = error instanceof Error && "failure" in error ? error.failure : undefined;
  const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
  scope.emitFor(
    instance,
    {
      type: "service.done",
      level: "error",
      ...(result.attempted === undefined ? {} : { release: result.attempted }),
      message: result.reason ?? "failed",
      data: {
        outcome: result.outcome,
        elapsedMs: result.elapsedMs,
        serving: result.serving,
        failure,
        hint,
        kind: deployment.aim.kind,
        ...(deployment.aim.isLegacy === true && result.outcome === "reverted" ? { servesLegacy: true } : {}),
      },
    },
    deployment.id,
  );
}
