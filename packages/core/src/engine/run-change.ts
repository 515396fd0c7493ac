import { hasErrors } from "../errors/diagnostic.ts";
import { CtrlPlaneError } from "../errors/error.ts";
import type { Change, ChangeCommand, DeploymentResult } from "../model/change.ts";
import { newId } from "../model/ids.ts";
import { label } from "../model/labels.ts";
import type { Plan, PlanAction } from "../model/plan.ts";
import type { Stack } from "../model/stack.ts";
import type { ChangeOptions, Run } from "../control-plane.ts";
import { ChangeScope } from "../apply/change-scope.ts";
import { DocumentDraft } from "../apply/document-draft.ts";
import { EventStream } from "../apply/event-stream.ts";
import { idleResult } from "../apply/execute.ts";
import { summarize } from "../apply/outcome.ts";
import type { Fence } from "../provider/context.ts";
import { entryName } from "../state/entry-key.ts";
import type { Lease } from "../state/lease.ts";
import { readContext, type Core } from "../platforms/core.ts";
import { liveKey } from "./deployments.ts";
import { failChange, finishChange } from "./finish-change.ts";
import { releaseAll, takeLeases } from "./take-leases.ts";
import { rebuildState } from "./rebuild.ts";
import type { Survey, SurveyContext } from "./survey.ts";

/** What a command sets out to do, decided from one survey. */
export interface Intended {
  readonly plan: Plan;
  readonly survey: Survey;
  /** Carries it out. Does not reject: what fails is in the results. */
  execute(scope: ChangeScope): Promise<DeploymentResult[]>;
}

export interface ChangeRequest {
  readonly command: ChangeCommand;
  readonly stack: Stack;
  readonly options: ChangeOptions & { readonly expect?: string };
  /** Only say what would be done: ends after `plan.ready`. */
  readonly isPreview?: boolean;
  /** Looks and decides; reads only. Called before the lease is taken, and again under it, since others may have changed something. */
  decide(context: SurveyContext): Promise<Intended>;
}

/**
 * The frame of every command that changes something: look; where nothing is to be done, say so; else take the leases, look
 * again, write the change, carry it out, record it. Resolves once the change is on record.
 */
export async function runChange(core: Core, request: ChangeRequest): Promise<Run<Change>> {
  const { stack, options } = request;
  const reading = readContext(core, stack.name, options.signal);
  const events = new EventStream(
    { stack: stack.name, ...(stack.environment === undefined ? {} : { env: stack.environment }) },
    core.clock,
    core.redactor,
    listenerOf(core, options.onEvent),
  );
  const first = accept(await request.decide(reading), options.expect);
  const touched = touchedPlatforms(first.plan);
  if (touched.length === 0 || request.isPreview === true) return nothingToDo(core, request, first, events);
  // On every platform of the stack, also where nothing is to be done: numbers and state are one for all of them.
  const leases = await takeLeases(core, request, first.survey, [...first.survey.platforms.platforms.keys()], events);
  try {
    const fenceOf = (id: string): Fence | undefined => leases.get(id)?.fence;
    const intended = accept(await request.decide({ ...reading, fenceOf }), options.expect);
    if (touchedPlatforms(intended.plan).length === 0) {
      await releaseAll(leases);
      return await nothingToDo(core, request, intended, events);
    }
    const isCovered = touchedPlatforms(intended.plan).every((id) => leases.has(id));
    if (!isCovered)
      throw new CtrlPlaneError("CONFLICT", `${stack.name} was changed by others meanwhile`, {
        retryable: true,
        hint: "Run the same command again.",
      });
    return await begin(core, request, intended, leases, events);
  } catch (error) {
    await releaseAll(leases);
    throw error;
  }
}

/** Throws where it may not be carried out: problems in the declaration, or another plan than the one that was reviewed. */
function accept(intended: Intended, expected: string | undefined): Intended {
  const { plan } = intended;
  if (hasErrors(plan.diagnostics)) {
    const count = plan.diagnostics.filter((each) => each.severity === "error").length;
    throw new CtrlPlaneError(
      "INVALID",
      `${plan.stack} cannot be deployed as declared: ${count === 1 ? "1 problem" : `${count} problems`}`,
      {
        diagnostics: plan.diagnostics,
      },
    );
  }
  if (expected !== undefined && !plan.hash.startsWith(expected)) {
    throw new CtrlPlaneError(
      "CONFLICT",
      `the plan is another one than expected (${plan.hash.slice(0, 12)}, not ${expected.slice(0, 12)})`,
      {
        target: "plan",
        hint: "Review it again with pctl plan.",
      },
    );
  }
  return intended;
}

function touchedPlatforms(plan: Plan): string[] {
  return [...new Set(acting(plan).map((action) => action.instance.platformId))].sort();
}

function acting(plan: Plan): PlanAction[] {
  return plan.actions.filter(
    ({ kind }) => kind !== "keep" && kind !== "pause" && kind !== "hold" && kind !== "unreachable",
  );
}

async function begin(
  core: Core,
  request: ChangeRequest,
  intended: Intended,
  leases: ReadonlyMap<string, Lease>,
  events: EventStream,
): Promise<Run<Change>> {
  const { stack, command, options } = request;
  const { survey, plan } = intended;
  const signals = [...leases.values()].map((lease) => lease.lost);
  const signal = AbortSignal.any(options.signal === undefined ? signals : [options.signal, ...signals]);
  const numbers = await Promise.all(
    [...survey.platforms.platforms.values()].map((each) => each.ledger.nextChange(readContext(core, stack.name))),
  );
  const number = Math.max(1, (survey.document?.lastChange ?? 0) + 1, ...numbers);
  // What a change that was killed brought up is in no document yet, and this one may only keep it.
  const document = isStale(survey, stack.name) ? await rebuildState(core, stack) : survey.stored;
  const draft = new DocumentDraft(document, survey.lineage, stack);
  draft.changed(number);
  const scope = new ChangeScope({
    core,
    stack,
    command,
    number,
    platforms: survey.platforms,
    events,
    draft,
    leases,
    signal,
  });
  const change = makeChange(core, request, number);
  await draft.begins(
    acting(plan).map(({ instance }) => instance.provider),
    core.store,
    stack.name,
  );
  for (const id of leases.keys()) {
    const platform = survey.platforms.platforms.get(id);
    if (platform === undefined) continue;
    const records = scope.recordContext(platform);
    await platform.ledger.claimLineage(survey.lineage, records);
    await platform.ledger.beginChange(change, records);
  }
  events.push({
    type: "change.started",
    change: number,
    message: command,
    data: { by: change.by, host: change.host, commit: change.commit, message: change.message },
  });
  events.push({ type: "plan.ready", change: number, message: describeCounts(plan), data: { plan } });
  const begun = core.clock.monotonic();
  const key = liveKey(stack.name, number);
  core.live.set(key, events);
  const done = carryOut(scope, change, intended, leases, begun).finally(() => core.live.delete(key));
  return { id: newId("chg"), events, done };
}

/** A listener that throws is not called again: whoever only looks on must not end a change half-way. */
function listenerOf(core: Core, onEvent: ChangeOptions["onEvent"]): ChangeOptions["onEvent"] {
  let isBroken = onEvent === undefined;
  return (event) => {
    if (isBroken) return;
    try {
      onEvent?.(event);
    } catch (error) {
      isBroken = true;
      core.log.warn("the listener of events failed, and is not called again", { error });
    }
  };
}

/** Resolves however it ends; every way ends with the event `result`. */
async function carryOut(
  scope: ChangeScope,
  change: Change,
  intended: Intended,
  leases: ReadonlyMap<string, Lease>,
  begun: number,
): Promise<Change> {
  try {
    const services = await intended.execute(scope);
    return await finishChange(scope, change, { services, leases, begun });
  } catch (error) {
    return failChange(scope, change, error, begun);
  } finally {
    scope.events.close();
    await releaseAll(leases);
  }
}

function makeChange(core: Core, request: ChangeRequest, number: number): Change {
  const { stack, command, options } = request;
  return {
    number,
    command,
    stack: stack.name,
    ...(stack.environment === undefined ? {} : { environment: stack.environment }),
    by: core.actor.user,
    host: core.actor.host,
    ...(stack.commit === undefined ? {} : { commit: stack.commit }),
    ...(options.message === undefined ? {} : { message: options.message }),
    startedAt: new Date(core.clock.now()).toISOString(),
  };
}

/** Nothing is written but the state document, where it does not say what is there: lost, or older than the last change. */
async function nothingToDo(
  core: Core,
  request: ChangeRequest,
  intended: Intended,
  events: EventStream,
): Promise<Run<Change>> {
  const { plan, survey } = intended;
  if (request.isPreview !== true && isStale(survey, request.stack.name)) await rebuildState(core, request.stack);
  const services = plan.actions.map(idleResult);
  const addresses = [...survey.surveys.values()].flatMap((each) =>
    each.observed.flatMap((instance) => instance.addresses),
  );
  const result = summarize({ services, elapsedMs: 0, diagnostics: [], addresses, isInterrupted: false });
  const number = survey.lastChange?.number ?? 0;
  const change: Change = { ...makeChange(core, request, number), result };
  events.push({ type: "plan.ready", message: describeCounts(plan), data: { plan } });
  events.push({
    type: "result",
    level: result.exitCode === 0 ? "info" : "warn",
    message: "nothing to do",
    data: { ...result },
  });
  events.close();
  return { id: newId("chg"), events, done: Promise.resolve(change) };
}

function isStale({ document, surveys }: Survey, stack: string): boolean {
  const observed = [...surveys].flatMap(([platformId, each]) =>
    each.observed.filter((instance) => instance.stack === stack).map((instance) => ({ ...instance, platformId })),
  );
  const living = Object.entries(document?.entries ?? {}).filter(([, entry]) => entry.destroyed !== true);
  const entries = Map.groupBy(living, ([key]) => entryName(key));
  return observed.some(({ name, settled, labels, platformId }) => {
    if (settled === undefined || labels[label.lineage] === undefined) return false;
    const own = entries.get(name) ?? [];
    return !own.some(
      ([, entry]) => entry.release === settled.number && (entry.platformId ?? platformId) === platformId,
    );
  });
}

function describeCounts(plan: Plan): string {
  const counts = new Map<string, number>();
  for (const action of plan.actions) counts.set(action.kind, (counts.get(action.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} to ${kind}`).join(", ") || "nothing to do";
}
