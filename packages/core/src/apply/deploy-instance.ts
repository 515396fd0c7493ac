import { isAsSettled } from "../model/observed.ts";
import type { DeploymentResult } from "../model/change.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import { newId } from "../model/ids.ts";
import type { PinnedImage } from "../model/image.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { DesiredInstance, KnownInstance } from "../plan/input.ts";
import type { Provider } from "../provider/provider.ts";
import type { Intent } from "../state/intent.ts";
import type { Builds } from "./builds.ts";
import type { ChangeScope } from "./change-scope.ts";
import type { Provisional } from "./group.ts";
import type { HandOver } from "./hand-over.ts";
import { isCtrlPlaneError } from "../errors/error.ts";
import { isScheduled } from "../rollout/scheduled-job.ts";
import { adopt, firstStrategy } from "./adopt.ts";
import { carryOut } from "./deployment.ts";
import { failedResult, isInterruption } from "./outcome.ts";
import { rollOutAndVerify } from "./roll-out-release.ts";
import { messageOf } from "../errors/message-of.ts";

/** What goes on around a deployment. */
export interface DeployFrame {
  /** Images that are made in this change. */
  readonly builds: Builds;
  /** Success is given here, to be ended or taken back. */
  readonly hold?: (provisional: Provisional) => void;
  /** Who has its addresses until it is brought up. */
  readonly handOver?: HandOver;
}

/**
 * Brings one instance to what is wanted: image, what outlives a release, the release on record, rollout, proof.
 */
export async function deployInstance(
  scope: ChangeScope,
  action: PlanAction,
  desired: DesiredInstance,
  known: KnownInstance,
  { hold, handOver, builds }: DeployFrame,
): Promise<DeploymentResult> {
  const { instance, spec } = desired;
  const provider = scope.provider(instance);
  const begun = scope.core.clock.monotonic();
  let release: Release;
  try {
    const image = await buildImage(scope, provider, desired, builds);
    release = await releaseFor(scope, action, desired, known, image);
    if (action.adopts !== undefined) await adopt(scope, instance, action.adopts, scope.context(instance));
    await provider.provision({ instance, spec }, scope.context(instance));
  } catch (error) {
    if (isInterruption(error) || !isAsBefore(action, known)) throw error;
    return tellNotBegun(scope, action, error, scope.core.clock.monotonic() - begun);
  }
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
    isLegacy: known.observed?.isLegacy === true,
    isFresh: known.unfinished === undefined,
  };
  await handOver?.take();
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
        {
          release,
          previous,
          settled,
          replicas: spec.scale.replicas,
          isRollback: false,
          strategy: firstStrategy(desired, known),
        },
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
            isJob: spec.kind === "job" && !isScheduled(release),
            ...(handOver === undefined ? {} : { giveBack: (because) => handOver.giveBack(because) }),
            confirm: async () => {
              await end();
              if (result.outcome === "succeeded") await recordServing(scope, release, from, known.releases);
            },
          });
        },
  );
  if (result.outcome === "succeeded" && hold === undefined) await recordServing(scope, release, from, known.releases);
  if (result.outcome === "succeeded" || result.outcome === "paused") handOver?.tell();
  else await handOver?.giveBack(instance.service);
  return result;
}

/** Nothing of it was under way, and what there was is whole. */
function isAsBefore({ kind }: PlanAction, { observed }: KnownInstance): boolean {
  const isFresh = kind === "create" || kind === "update" || kind === "configure";
  return isFresh && (observed?.settled === undefined || isAsSettled(observed.state));
}

/** Nothing of the new release was begun, so it is as if it had been reverted: the old one serves, or there is none. */
function tellNotBegun(scope: ChangeScope, action: PlanAction, error: unknown, elapsedMs: number): DeploymentResult {
  const { instance, from } = action;
  const failed = failedResult(instance, error, { deployment: "", elapsedMs: Math.round(elapsedMs) });
  const { deployment: _, ...result } = failed;
  const failure = (isCtrlPlaneError(error) ? error.failure : undefined) ?? { code: result.code };
  const serving = from === undefined ? {} : { serving: from };
  const message = result.reason ?? "failed";
  const hint = isCtrlPlaneError(error) ? error.hint : undefined;
  const data = { outcome: "reverted", isBegun: false, elapsedMs: result.elapsedMs, hint, failure, ...serving };
  scope.emitFor(instance, { type: "service.done", level: "error", message, data });
  return { ...result, outcome: "reverted", ...serving };
}

/**
 * What follows a success: the state document, and the end of releases beyond `keep`. `left`, which served before, stays: it is what a
 * rollback goes back to. `known`: its releases as the lease was taken; absent: not known. It serves whether or not old records could be removed.
 */
export async function recordServing(
  scope: ChangeScope,
  release: Release,
  left?: number,
  known?: readonly number[],
): Promise<void> {
  scope.draft.serves(release);
  try {
    await pruneReleases(scope, release, left, known);
  } catch (error) {
    const message = `older releases of ${release.instance.service} could not be removed: ${messageOf(error)}`;
    scope.emitFor(release.instance, { type: "diagnostic", level: "warn", message });
  }
}

async function pruneReleases(
  scope: ChangeScope,
  release: Release,
  left: number | undefined,
  known: readonly number[] | undefined,
): Promise<void> {
  const platform = scope.platform(release.instance);
  const records = scope.recordContext(platform);
  const oldestOf = (numbers: readonly number[]): number => Math.max(...numbers) - release.spec.keep;
  // Nobody else adds one under the lease: the ledger is asked again where some are to go.
  const all = known === undefined ? undefined : [...known, release.number];
  if (all?.every((number) => number > oldestOf(all)) === true) return;
  const numbers = await platform.ledger.releases(release.instance.service, records);
  const oldest = oldestOf(numbers);
  const kept = numbers.filter((number) => number > oldest || number === release.number || number === left);
  if (kept.length === numbers.length) return;
  await platform.ledger.pruneReleases(release.instance.service, kept, records);
  await retainReleases(scope, release.instance, kept);
}

/** What was kept for other releases of the instance alone may go. What cannot be removed is told, and stays. */
export async function retainReleases(
  scope: ChangeScope,
  instance: InstanceIdentity,
  releases: readonly number[],
): Promise<void> {
  try {
    await scope.provider(instance).retain?.({ instance, releases }, scope.context(instance));
  } catch (error) {
    const message = `images of older releases of ${instance.service} could not be removed: ${messageOf(error)}`;
    scope.emitFor(instance, { type: "diagnostic", level: "warn", message });
  }
}

async function buildImage(
  scope: ChangeScope,
  provider: Provider,
  desired: DesiredInstance,
  builds: Builds,
): Promise<PinnedImage> {
  const { instance, spec, image } = desired;
  const started = scope.core.clock.monotonic();
  const isTold = builds.begin(desired);
  if (isTold)
    scope.emitFor(instance, {
      type: "build.started",
      message: `builds ${image.declared}`,
      data: { digest: image.digest },
    });
  const elapsed = (): number => Math.round(scope.core.clock.monotonic() - started);
  try {
    const built = await provider.buildImage({ instance, spec, image }, scope.context(instance));
    if (isTold) {
      const message = `${built.digest.slice(0, 13)} ${builds.describe(desired)}`;
      const data = { digest: built.digest, services: builds.servicesOf(desired), elapsedMs: elapsed() };
      scope.emitFor(instance, { type: "build.done", message, data });
    }
    return built;
  } catch (error) {
    if (isTold) {
      const data = { digest: image.digest, elapsedMs: elapsed() };
      scope.emitFor(instance, { type: "build.failed", level: "error", message: messageOf(error), data });
    }
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
