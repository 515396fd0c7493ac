import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { Change } from "../model/change.ts";
import type { KnownInstance, UnfinishedDeployment } from "../plan/input.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { DeploymentRecord } from "../state/intent.ts";
import type { PlatformSurvey, Survey } from "./survey.ts";
import { refuseUnseen } from "./unreachable.ts";

/** How many changes are looked through for what served before. */
const searched = 200;

/** What a change did to one instance, or had begun to do. */
export interface Effect {
  readonly service: string;
  readonly platformId: string;
  /** The release that served before; absent where there was none. */
  readonly from?: number;
}

/** True of an instance that is on its way from one release to another, up or down. */
export function isHalfway(
  known: KnownInstance,
): known is KnownInstance & { readonly unfinished: UnfinishedDeployment } {
  const { unfinished } = known;
  return unfinished?.to !== undefined && unfinished.from !== unfinished.to;
}

/**
 * What the last change did that brought, replaced or removed releases; scaling, stopping and restarting do not count. A change that
 * died on its way counts with what it had begun. Throws `NOT_FOUND` where there is none, and where all that the last one
 * tried was taken back already: undoing the one before it is not what was asked for, unless `wanted` names it.
 */
export async function lastEffects(
  seen: Survey,
  context: ProviderContext,
  wanted?: number,
): Promise<{ readonly change: Change; readonly effects: readonly Effect[] }> {
  const surveys = [...seen.surveys.values()];
  let last: Change | undefined;
  for (const change of await lastChanges(seen, context)) {
    const found = (await Promise.all(surveys.map((each) => effectsOn(each, change.number, context)))).flat();
    const effects = found.filter((each) => each.isStanding);
    if (effects.length > 0 && last === undefined && (wanted ?? change.number) === change.number)
      return { change, effects };
    if (effects.length > 0) throw last === undefined ? notTheLast(change, wanted) : nothingLeft(last, change);
    const isTakenBack = found.length > 0 && (change.command === "deploy" || change.command === "rollback");
    if (isTakenBack && wanted === undefined) last ??= change;
  }
  if (last !== undefined) throw nothingLeft(last, undefined);
  refuseUnseen(seen);
  throw new CtrlPlaneError("NOT_FOUND", "there is no change to undo", { hint: "pctl history shows what was changed." });
}

/** Newest first. */
async function lastChanges(seen: Survey, context: ProviderContext): Promise<readonly Change[]> {
  const surveys = [...seen.surveys.values()];
  const listed = await Promise.all(surveys.map((each) => each.platform.ledger.changes(context, { limit: searched })));
  const changes = new Map<number, Change>(listed.flat().map((change) => [change.number, change]));
  return [...changes.values()].sort((a, b) => b.number - a.number);
}

/**
 * Providers that were not looked at, since nothing of the stack is there any more, and on which the last change did something, or one after it of
 * which nothing is seen elsewhere: services were moved from there, or left the file.
 */
export async function placesLeft(seen: Survey, context: ProviderContext): Promise<readonly string[]> {
  const last = await lastEffects(seen, context).catch((error: unknown) => {
    if (isCtrlPlaneError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  });
  const changes = await lastChanges(seen, context);
  const since = changes.filter(({ number }) => number >= (last?.change.number ?? 0));
  return [...new Set(since.flatMap(providersOf))].filter((name) => !seen.platforms.providers.has(name));
}

/** Where a change brought something, or took it away. */
function providersOf({ result }: Change): readonly string[] {
  const standing = (result?.services ?? []).filter(({ outcome }) => outcome === "succeeded" || outcome === "removed");
  return standing.map(({ provider }) => provider);
}

function nothingLeft({ number, command }: Change, before: Change | undefined): CtrlPlaneError {
  const what = `${command} #${number} was taken back by itself: nothing of it is left to undo, and what served before serves`;
  return new CtrlPlaneError("NOT_FOUND", what, {
    hint:
      before === undefined
        ? "pctl history shows what was changed."
        : `pctl rollback --change ${before.number} undoes the change before it, ${describeChange(before)}`,
  });
}

function notTheLast(last: Change, wanted: number | undefined): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `#${wanted} is not the last change of which something stands`, {
    hint: `That is #${last.number}, ${describeChange(last)}; pctl rollback SERVICE --to N takes one service further back.`,
  });
}

function describeChange({ command, by, startedAt, message }: Change): string {
  const words = message === undefined ? "" : ` (${message})`;
  return `${command} by ${by} of ${startedAt.slice(0, 16).replace("T", " ")} UTC${words}`;
}

async function effectsOn(
  { platform, intents }: PlatformSurvey,
  change: number,
  context: ProviderContext,
): Promise<(Effect & { readonly isStanding: boolean })[]> {
  const begun = intents
    .filter((each) => each.change === change && each.from !== each.to)
    .map((each) => ({ ...effect(each, platform.id), isStanding: true }));
  const ended = (await platform.ledger.deployments(change, context))
    .filter((each) => each.from !== each.to && !begun.some(({ service }) => service === each.service))
    .map((each) => ({ ...effect(each, platform.id), isStanding: isStanding(each) }));
  // One that was taken back first and deployed then has two.
  const standing = new Set(ended.filter((each) => each.isStanding).map((each) => each.service));
  return [...begun, ...ended.filter((each) => each.isStanding || !standing.has(each.service))];
}

function isStanding({ outcome }: DeploymentRecord): boolean {
  return outcome === "succeeded" || outcome === "removed";
}

function effect({ service, from }: { service: string; from?: number }, platformId: string): Effect {
  return { service, platformId, ...(from === undefined ? {} : { from }) };
}

/**
 * The release below the serving one that served last: one that failed, or was never begun, is none. Where no record says, the
 * one with the number before. Undefined where there is none.
 */
export async function servedBefore(
  seen: Survey,
  { instance, observed, releases }: KnownInstance,
  context: ProviderContext,
): Promise<number | undefined> {
  const serving = observed?.settled?.number ?? Infinity;
  const earlier = releases.filter((number) => number < serving);
  const ledger = seen.surveys.get(instance.platformId)?.platform.ledger;
  if (ledger === undefined || earlier.length === 0) return earlier.at(-1);
  const failed = new Set<number>();
  for (const { number } of await ledger.changes(context, { limit: searched })) {
    for (const each of await ledger.deployments(number, context)) {
      if (each.service !== instance.service || each.to === undefined || !earlier.includes(each.to)) continue;
      if (each.outcome === "succeeded") return each.to;
      failed.add(each.to);
    }
  }
  return earlier.findLast((number) => !failed.has(number));
}
