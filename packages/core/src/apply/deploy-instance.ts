import { CtrlPlaneError } from "../errors/error.ts";
import type { DeploymentResult } from "../model/change.ts";
import { newId } from "../model/ids.ts";
import type { PinnedImage } from "../model/image.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { InstanceStatus, SettledRelease } from "../model/observed.ts";
import type { ReplicaCount } from "../model/resources.ts";
import type { StrategySpec } from "../model/spec.ts";
import type { DesiredInstance, KnownInstance } from "../plan/input.ts";
import type { DeployResult } from "../provider/requests.ts";
import type { Provider } from "../provider/provider.ts";
import type { Intent } from "../state/intent.ts";
import type { ChangeScope } from "./change-scope.ts";
import type { Provisional } from "./group.ts";
import { carryOut, type Deployment, type DeploymentEffect } from "./deployment.ts";

/**
 * Brings one instance to what is wanted: image, what outlives a release, the release on record, rollout, proof. With `hold`
 * success is given there, to be ended or taken back.
 */
export async function deployInstance(
  scope: ChangeScope,
  action: PlanAction,
  desired: DesiredInstance,
  known: KnownInstance,
  hold?: (provisional: Provisional) => void,
): Promise<DeploymentResult> {
  const { instance, spec } = desired;
  const provider = scope.provider(instance);
  const image = await buildImage(scope, provider, desired);
  const release = await releaseFor(scope, action, desired, known, image);
  await provider.provision({ instance, spec }, scope.context(instance));
  const previous = await previousRelease(scope, known, release);
  const settled = known.observed?.settled;
  const resumed = action.kind === "resume" ? await unfinishedIntent(scope, known) : undefined;
  const from = resumed === undefined ? settled?.number : resumed.from;
  const aim = {
    ...(from === undefined ? {} : { from }),
    to: release.number,
    strategy: spec.strategy.type,
    replicas: spec.scale.replicas,
    holds: spec.strategy.onFailure === "hold",
    kind: spec.kind,
  };
  const result = await carryOut(
    scope,
    instance,
    aim,
    (deployment) => {
      scope.emitFor(
        instance,
        { type: "service.started", release: release.number, message: `release ${release.number}` },
        deployment.id,
      );
      return rollOutAndVerify(
        scope,
        provider,
        { release, previous, settled, replicas: spec.scale.replicas, isRollback: false },
        deployment,
      );
    },
    resumed,
    hold === undefined
      ? undefined
      : (deployment, end) => {
          const origin = from === undefined ? {} : { from };
          const unfinished = { service: instance.service, deployment, change: scope.number, ...origin };
          hold({
            known: { ...known, instance, unfinished: { ...unfinished, to: release.number, isReverting: false } },
            isJob: spec.kind === "job",
            confirm: async () => {
              await end();
              if (result.outcome === "succeeded") await recordServing(scope, release, from);
            },
          });
        },
  );
  if (result.outcome === "succeeded" && hold === undefined) await recordServing(scope, release, from);
  return result;
}

/** What is to serve, and what does so now. */
export interface Target {
  readonly release: Release;
  readonly previous: Release | undefined;
  readonly settled: SettledRelease | undefined;
  readonly replicas: ReplicaCount;
  readonly scaledBy?: SettledRelease["scaledBy"];
  /** By `rollback`, not `deploy`. */
  readonly isRollback: boolean;
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
  const result: DeployResult = target.isRollback
    ? await provider.rollback(request, deployment.context)
    : await provider.deploy(
        { ...request, ...(settled === undefined ? {} : { previousReplicas: settled.replicas }) },
        deployment.context,
      );
  return result.state === "paused"
    ? tellPaused(scope, release, result, deployment)
    : proveServing(scope, provider, target, deployment);
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

/** The platform's own word on what serves now. Throws where it is another release, or too little of it. */
export async function proveServing(
  scope: ChangeScope,
  provider: Provider,
  target: Pick<Target, "release" | "replicas">,
  deployment: Deployment,
): Promise<DeploymentEffect> {
  const { release } = target;
  const status = await provider.status({ instance: release.instance }, deployment.context);
  verify(release, target.replicas, status);
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
  const wanted = typeof replicas === "number" ? replicas : replicas.min;
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

function readyOf(release: Release, status: InstanceStatus): number {
  return status.revisions
    .filter((each) => each.replicaHash === release.revision.replicaHash)
    .reduce((sum, each) => sum + each.ready, 0);
}

function describeServing(release: Release, status: InstanceStatus): string {
  if (status.state === "completed") return "completed, exit 0";
  const current = status.revisions.filter((each) => each.replicaHash === release.revision.replicaHash);
  const desired = current.reduce((sum, each) => sum + each.desired, 0);
  return `release ${release.number} serves, ${readyOf(release, status)} of ${desired} ready`;
}

/**
 * What follows a success: the state document, and the end of releases beyond `keep`. `left`, which served before, stays: it is what a
 * rollback goes back to. It serves whether or not old records could be removed.
 */
export async function recordServing(scope: ChangeScope, release: Release, left?: number): Promise<void> {
  scope.draft.serves(release);
  try {
    await pruneReleases(scope, release, left);
  } catch (error) {
    const message = `older releases of ${release.instance.service} could not be removed: ${messageOf(error)}`;
    scope.emitFor(release.instance, { type: "diagnostic", level: "warn", message });
  }
}

async function pruneReleases(scope: ChangeScope, release: Release, left: number | undefined): Promise<void> {
  const platform = scope.platform(release.instance);
  const records = scope.recordContext(platform);
  const numbers = await platform.ledger.releases(release.instance.service, records);
  const oldest = Math.max(...numbers) - release.spec.keep;
  const kept = numbers.filter((number) => number > oldest || number === release.number || number === left);
  if (kept.length < numbers.length) await platform.ledger.pruneReleases(release.instance.service, kept, records);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function buildImage(scope: ChangeScope, provider: Provider, desired: DesiredInstance): Promise<PinnedImage> {
  const { instance, spec, image } = desired;
  const started = scope.core.clock.monotonic();
  if (image.source?.how === "build")
    scope.emitFor(instance, { type: "build.started", message: `builds ${image.declared}` });
  try {
    const built = await provider.buildImage({ instance, spec, image }, scope.context(instance));
    if (image.source?.how === "build") {
      const elapsedMs = Math.round(scope.core.clock.monotonic() - started);
      scope.emitFor(instance, {
        type: "build.done",
        message: built.digest.slice(0, 13),
        data: { digest: built.digest, elapsedMs },
      });
    }
    return built;
  } catch (error) {
    scope.emitFor(instance, { type: "build.failed", level: "error", message: messageOf(error) });
    throw error;
  }
}

/** The release that serves already, the one that was begun, or a new one; written to the ledger before anything runs. */
async function releaseFor(
  scope: ChangeScope,
  action: PlanAction,
  desired: DesiredInstance,
  known: KnownInstance,
  image: PinnedImage,
): Promise<Release> {
  const { ledger } = scope.platform(desired.instance);
  const { service } = desired.instance;
  const number = action.release ?? known.observed?.settled?.number;
  if (action.kind === "resume" || action.release === undefined) {
    const recorded = number === undefined ? undefined : await ledger.openRelease(service, number, scope.readContext());
    if (recorded !== undefined) return withSpec(recorded.release, desired, image);
  }
  const latest = Math.max(0, ...known.releases, known.observed?.settled?.number ?? 0);
  const release: Release = {
    id: newId("rel"),
    number: action.release ?? latest + 1,
    instance: desired.instance,
    spec: desired.spec,
    image,
    revision: { ...desired.revision, image },
    specHash: desired.specHash,
    ...(desired.fingerprint === undefined ? {} : { fingerprint: desired.fingerprint }),
    change: scope.number,
    createdAt: new Date(scope.core.clock.now()).toISOString(),
    ...(scope.stack.commit === undefined ? {} : { commit: scope.stack.commit }),
  };
  await ledger.writeRelease(release, scope.recordContext(scope.platform(desired.instance)));
  return release;
}

/** A recorded release of equal specHash, with values from the file: they are equal, and need no key. */
function withSpec(recorded: Release, desired: DesiredInstance, image: PinnedImage): Release {
  return {
    ...recorded,
    instance: desired.instance,
    spec: desired.spec,
    image,
    revision: { ...desired.revision, image, generation: recorded.revision.generation },
  };
}

/** What serves now, in full, so that a failure can go back to it. Undefined for a first release, and where the key does not open it. */
export async function previousRelease(
  scope: ChangeScope,
  known: KnownInstance,
  next: Release,
): Promise<Release | undefined> {
  const settled = known.observed?.settled;
  if (settled === undefined) return undefined;
  if (settled.releaseId === next.id) return next;
  const found = await scope
    .platform(next.instance)
    .ledger.openRelease(next.instance.service, settled.number, scope.readContext());
  if (found?.opened !== true) {
    scope.emitFor(next.instance, {
      type: "diagnostic",
      level: "warn",
      message: `release ${settled.number} of ${next.instance.service} cannot be read: if release ${next.number} fails, it cannot be undone`,
    });
    return undefined;
  }
  const { release } = found;
  return { ...release, instance: next.instance, revision: { ...release.revision, generation: settled.generation } };
}

function unfinishedIntent(scope: ChangeScope, known: KnownInstance): Promise<Intent | undefined> {
  return scope.platform(known.instance).ledger.intent(known.instance.service, scope.readContext());
}
