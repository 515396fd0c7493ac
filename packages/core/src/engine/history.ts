import { CtrlPlaneError } from "../errors/error.ts";
import type { Change } from "../model/change.ts";
import type { Event } from "../model/event.ts";
import { isAsSettled, type InstanceStatus, type ObservedInstance } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { Stack } from "../model/stack.ts";
import type { ChangeDetail, ReleaseSummary } from "../control-plane.ts";
import { readContext, type Core } from "../platforms/core.ts";
import { requireProvider } from "../platforms/bind.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { ProviderContext } from "../provider/context.ts";
import { jobStatus, readLastRuns } from "./job-status.ts";
import { knownInstances } from "./known.ts";
import { checkServices } from "./service-names.ts";
import { survey, type Survey } from "./survey.ts";
import { refuseUnseen } from "./unreachable.ts";

/** Changes of a stack over all its platforms that can be asked, newest first. Throws why one cannot be where none of the others has any. */
export async function stackHistory(core: Core, stack: Stack, limit: number): Promise<Change[]> {
  const context = readContext(core, stack.name);
  const seen = await surveyEverywhere(core, stack, context);
  const found = await Promise.all(
    [...seen.surveys.values()].map((each) => each.platform.ledger.changes(context, { limit })),
  );
  const byNumber = new Map<number, Change>();
  for (const change of found.flat()) {
    const other = byNumber.get(change.number);
    if (other?.result === undefined) byNumber.set(change.number, change);
  }
  if (byNumber.size === 0) refuseUnseen(seen);
  return [...byNumber.values()].sort((a, b) => b.number - a.number).slice(0, limit);
}

export async function changeDetail(core: Core, stack: Stack, number: number): Promise<ChangeDetail> {
  const context = readContext(core, stack.name);
  const seen = await surveyEverywhere(core, stack, context);
  for (const each of seen.surveys.values()) {
    const found = await each.platform.ledger.change(number, context);
    if (found === undefined) continue;
    const { output, ...change } = found;
    // What `finishChange` wrote: one event a line.
    return { ...change, events: (output ?? []).map((line) => JSON.parse(line) as Event) };
  }
  refuseUnseen(seen);
  throw new CtrlPlaneError("NOT_FOUND", `${stack.name} has no change #${number}`, { hint: "pctl history shows them." });
}

/** Releases on record, newest first, service by service. Reads without the key. */
export async function stackReleases(core: Core, stack: Stack, services: readonly string[]): Promise<ReleaseSummary[]> {
  const context = readContext(core, stack.name);
  const seen = await survey(core, stack, context);
  const all = knownInstances(stack, seen);
  checkServices(stack, seen, all, services);
  const known = [...all.values()].filter((each) => services.length === 0 || services.includes(each.instance.service));
  const lastRuns = await readLastRuns(seen, context);
  const jobs = await Promise.all(
    known.map(async (each) => jobStatus(each, await seenNow(each, seen, context), lastRuns(each), stack)),
  );
  const found = await Promise.all(
    known.flatMap((each, index) =>
      each.releases.toReversed().map(async (number): Promise<ReleaseSummary | undefined> => {
        const job = jobs[index]?.run.release === number ? jobs[index] : undefined;
        const ledger = seen.surveys.get(each.instance.platformId)?.platform.ledger;
        const opened = await ledger?.openRelease(each.instance.service, number, context);
        if (opened === undefined) return undefined;
        const { change, createdAt, image, commit } = opened.release;
        const settled = each.observed?.settled?.number === number ? each.observed.state : undefined;
        const state = job?.state ?? settled;
        return {
          service: each.instance.service,
          provider: each.instance.provider,
          number,
          change,
          createdAt,
          image: `${image.declared} ${image.digest.slice(0, 15)}`,
          serving: state === "degraded" || isAsSettled(state),
          ...(state === undefined ? {} : { state }),
          ...(job === undefined ? {} : { run: job.run }),
          ...(commit === undefined ? {} : { commit }),
        };
      }),
    ),
  );
  return found.filter((each) => each !== undefined);
}

/** With its replicas where they tell whether a job runs. */
async function seenNow(
  { instance, observed, unfinished }: KnownInstance,
  seen: Survey,
  context: ProviderContext,
): Promise<ObservedInstance | InstanceStatus | undefined> {
  if (observed === undefined || unfinished?.isJob !== true) return observed;
  return requireProvider(seen.platforms, instance.provider).provider.status({ instance }, context);
}

/** One release; values that the key does not open are masked. */
export async function oneRelease(core: Core, stack: Stack, service: string, number: number): Promise<Release> {
  const context = readContext(core, stack.name);
  const seen = await surveyEverywhere(core, stack, context);
  checkServices(stack, seen, knownInstances(stack, seen), [service]);
  for (const each of seen.surveys.values()) {
    const opened = await each.platform.ledger.openRelease(service, number, context);
    if (opened !== undefined) return opened.release;
  }
  refuseUnseen(seen);
  throw new CtrlPlaneError("NOT_FOUND", `${service} has no release ${number}`, {
    target: service,
    hint: "pctl history shows them.",
  });
}

/** Also where services were before they moved or left, as far as the state file knows and the declaration names it: what happened there is on record there. */
async function surveyEverywhere(core: Core, stack: Stack, context: ProviderContext): Promise<Survey> {
  const document = await core.store.read(stack.name);
  const left = Object.values(document?.entries ?? {}).filter(
    (each) => each.destroyed === true && each.isForgotten !== true && stack.providers[each.provider] !== undefined,
  );
  return survey(core, stack, context, { also: left.map((each) => each.provider) });
}
