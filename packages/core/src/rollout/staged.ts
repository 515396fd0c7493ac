import { CtrlPlaneError } from "../errors/error.ts";
import { revisionKey } from "../model/release.ts";
import type { ProviderContext } from "../provider/context.ts";
import { failureOf } from "./failure.ts";
import type { RolloutDecision } from "./journal.ts";
import { oldRevisions, retireLeftovers, settleMs, shares } from "./old-revisions.ts";
import type { RevisionState } from "./revision-driver.ts";
import { settledRelease, type Rollout } from "./rollout.ts";
import { standingOf, stagesOf, type Stage } from "./stages.ts";

export type RolloutPause = Extract<RolloutDecision, { readonly kind: "pause" }>;

/**
 * Step by step beside the old replicas, which all stay until the last step has lived for 5 s: blue_green and canary. Each step
 * is decided, then reached; the pause after it is decided, and returned. Called again it goes on where the journal says:
 * at the step that was begun, or after a pause that is over. A replica that ended while it was paused fails the release.
 * Where nothing old is ready there is nothing to compare with: all comes at once, without a pause.
 */
export async function staged(rollout: Rollout, context: ProviderContext): Promise<RolloutPause | undefined> {
  const { request, replicas, platform, seen } = rollout;
  const { journal, strategy, release } = request;
  const key = revisionKey(release.revision);
  const old = oldRevisions(request, seen);
  await retireLeftovers(rollout, old);
  const stages = stagesOf(strategy, replicas);
  const standing = standingOf(journal.decisions, context.clock.now());
  const isBegun = journal.decisions.length > 0;
  const last = journal.decisions.findLast((each) => each.kind === "pause");
  if (last !== undefined && (standing.pause !== undefined || standing.isGoingOn)) {
    const reached = stages.find((each) => each.step === last.step);
    if (reached !== undefined) await requireAlive(rollout, reached, last);
  }
  if (standing.pause !== undefined) return standing.pause;
  const isLeft = seen.revisions.some((each) => each.key === key);
  if (isLeft) await platform.configure(release);

  const isCompared = isBegun || old.some((each) => each.ready > 0);
  for (const stage of stages.slice(isCompared ? standing.step - 1 : -1)) {
    // An earlier attempt may have left more than this step has. Routed ones go once others are: nobody is left without.
    const isUnrouted = stage.weight === 0;
    if (isLeft && isUnrouted) await platform.retire(key, stage.replicas);
    await reach(rollout, stage, old, isCompared);
    if (isLeft && !isUnrouted) await platform.retire(key, stage.replicas);
    if (stage.weight === 100 || standing.isFull || isWithoutPause(rollout)) continue;
    return await pauseAt(rollout, stage, context);
  }
  if (old.some((each) => each.desired > 0)) await platform.outlive(release, settleMs);
  for (const each of old) await platform.retire(each.key, 0);
  await platform.retire(key, replicas);
  await platform.settle(settledRelease(release, request));
  return undefined;
}

async function reach(
  { request, replicas, platform }: Rollout,
  stage: Stage,
  old: readonly RevisionState[],
  isCompared: boolean,
): Promise<void> {
  const { release, journal } = request;
  const { step, weight } = stage;
  if (isCompared && !isDecided(journal.decisions, step)) await journal.decide({ kind: "step", step, weight });
  await platform.ensure(release, stage.replicas);
  if (weight === 0) return;
  await platform.weigh(release, shares(revisionKey(release.revision), weight, old));
  platform.tellRouted(release, stage.replicas, replicas);
}

/** Whether this step was decided before, and nothing after it. */
function isDecided(decisions: readonly RolloutDecision[], step: number): boolean {
  const last = decisions.at(-1);
  return last?.kind === "step" && last.step === step;
}

function isWithoutPause({ request }: Rollout): boolean {
  const { pause } = request.strategy;
  return pause !== "manual" && pause.ms === 0;
}

async function pauseAt(
  { request, platform }: Rollout,
  { step }: Stage,
  context: ProviderContext,
): Promise<RolloutPause> {
  const { pause } = request.strategy;
  const now = context.clock.now();
  const { revisions } = await platform.observe();
  const restarts = revisions.find((each) => each.key === revisionKey(request.release.revision))?.restarts;
  const decision: RolloutPause = {
    kind: "pause",
    step,
    since: new Date(now).toISOString(),
    ...(pause === "manual" ? {} : { until: new Date(now + pause.ms).toISOString() }),
    ...(restarts === undefined ? {} : { restarts }),
  };
  await request.journal.decide(decision);
  return decision;
}

/** What a step reached is still there. Throws `FAILED` where one of its replicas has ended, whoever ended it, though it may run again. */
async function requireAlive({ request, platform, seen }: Rollout, reached: Stage, pause: RolloutPause): Promise<void> {
  const { release } = request;
  const current = seen.revisions.find((each) => each.key === revisionKey(release.revision));
  const ready = current?.ready ?? 0;
  const again = (current?.restarts ?? 0) - (pause.restarts ?? current?.restarts ?? 0);
  const isWhole = ready >= reached.replicas && again <= 0;
  try {
    await platform.outlive(release, 0);
    if (isWhole) return;
  } catch (error) {
    if (isWhole || failureOf(error) !== undefined) throw error;
  }
  throw new CtrlPlaneError(
    "FAILED",
    again > 0
      ? `release ${release.number} ended ${again === 1 ? "once" : `${again} times`} while it was paused, and was started again`
      : `${ready} of ${reached.replicas} replicas of release ${release.number} were left after the pause`,
    { target: release.instance.name, failure: { verdict: "EXITED" } },
  );
}
