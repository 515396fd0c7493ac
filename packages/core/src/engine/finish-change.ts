import type { Diagnostic } from "../errors/diagnostic.ts";
import { isCtrlPlaneError } from "../errors/error.ts";
import type { Change, ChangeResult, DeploymentResult } from "../model/change.ts";
import type { EventInput } from "../model/event.ts";
import type { ObservedInstance } from "../model/observed.ts";
import type { ChangeScope } from "../apply/change-scope.ts";
import { summarize } from "../apply/outcome.ts";
import type { Lease } from "../state/lease.ts";
import { listAll } from "./survey.ts";
import { messageOf } from "../errors/message-of.ts";

interface Finished {
  readonly services: readonly DeploymentResult[];
  readonly leases: ReadonlyMap<string, Lease>;
  /** By the monotonic clock. */
  readonly begun: number;
}

/**
 * Records how a change ended: state document, the change's second record on every platform, the last event. Once the lease is
 * lost nothing is written: what stands is another's to say.
 */
export async function finishChange(scope: ChangeScope, change: Change, of: Finished): Promise<Change> {
  await Promise.all([...of.leases.values()].map((lease) => lease.confirm()));
  const lost = [...of.leases.values()].find((lease) => lease.lost.aborted);
  const seen = await listEverywhere(scope);
  const addresses = [...new Set([...seen.values()].flat().flatMap((each) => each.addresses))];
  const problems: Diagnostic[] = lost === undefined ? [] : [leaseLost(lost)];
  const note = async (what: string, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      const problem = notRecorded(what, error);
      problems.push(problem);
      scope.emit({ type: "diagnostic", level: "error", message: problem.summary, data: { ...problem } });
    }
  };
  scope.draft.ended(await endedProviders(scope, seen));
  if (lost === undefined) await note("the state file", () => scope.draft.write(scope.core.store, scope.stack.name));
  const result = (): ChangeResult => {
    const elapsedMs = Math.round(scope.core.clock.monotonic() - of.begun);
    const { services } = of;
    const isInterrupted = scope.signal.aborted && services.some((each) => each.outcome === "skipped");
    const summary = summarize({ services, elapsedMs, diagnostics: problems, addresses, isInterrupted });
    if (lost !== undefined) return { ...summary, exitCode: 5 };
    return problems.length > 0 && summary.exitCode === 0 ? { ...summary, exitCode: 1 } : summary;
  };
  const finishedAt = new Date(scope.core.clock.now()).toISOString();
  if (lost === undefined) {
    const recorded = result();
    for (const id of of.leases.keys()) {
      const platform = scope.platforms.platforms.get(id);
      if (platform === undefined) continue;
      // With its last event, which readers get once this is written.
      const events = [...scope.events.events, scope.events.next({ change: change.number, ...resultEvent(recorded) })];
      const output = events.map((event) => JSON.stringify(event));
      await note("the history", () =>
        platform.ledger.finishChange(change.number, recorded, finishedAt, output, scope.recordContext(platform)),
      );
    }
  }
  const final = result();
  scope.emit(resultEvent(final));
  return { ...change, finishedAt, result: final };
}

/** What is there of the stack, by provider; without those that could not be asked. */
async function listEverywhere(scope: ChangeScope): Promise<ReadonlyMap<string, readonly ObservedInstance[]>> {
  const found = new Map<string, readonly ObservedInstance[]>();
  for (const bound of scope.platforms.providers.values()) {
    if ("problem" in bound) continue;
    try {
      const { instances } = await listAll(bound.provider, { stack: scope.stack.name }, scope.readContext());
      found.set(bound.name, instances);
    } catch (error) {
      scope.core.log.warn("what is there could not be read", { provider: bound.name, error });
    }
  }
  return found;
}

/** Of the providers that somebody began to use, those where all that is there has an entry, and nothing is unfinished. */
async function endedProviders(
  scope: ChangeScope,
  seen: ReadonlyMap<string, readonly ObservedInstance[]>,
): Promise<string[]> {
  const { core, draft, platforms } = scope;
  const ended: string[] = [];
  for (const name of draft.pending) {
    const bound = platforms.providers.get(name);
    const instances = seen.get(name);
    if (bound === undefined || "problem" in bound || instances === undefined) continue;
    const named = draft.namesOn(name);
    try {
      const intents = await bound.platform.ledger.intents(scope.readContext());
      if (intents.length === 0 && instances.every((each) => named.has(each.name))) ended.push(name);
    } catch (error) {
      core.log.warn("what is unfinished could not be read", { provider: name, error });
    }
  }
  return ended;
}

/** Ends a change that broke off where nothing should: a defect of ours or of a provider, told like any other failure. */
export function failChange(scope: ChangeScope, change: Change, error: unknown, begun: number): Change {
  const summary = `the change broke off: ${messageOf(error)}`;
  const hint = "Run the command again: it goes on where this one stopped. With --debug it prints more.";
  const diagnostics: Diagnostic[] = [{ severity: "error", code: "internal", summary, hint }];
  const elapsedMs = Math.round(scope.core.clock.monotonic() - begun);
  const result: ChangeResult = {
    outcome: "failed",
    exitCode: 1,
    elapsedMs,
    services: [],
    diagnostics,
    addresses: [],
  };
  scope.emit({ ...resultEvent(result), message: summary });
  return { ...change, finishedAt: new Date(scope.core.clock.now()).toISOString(), result };
}

function resultEvent(result: ChangeResult): EventInput {
  const level = result.exitCode === 0 ? "info" : "error";
  return { type: "result", level, message: describeResult(result), data: { ...result } };
}

function leaseLost(lease: Lease): Diagnostic {
  const reason: unknown = lease.lost.reason;
  const hint = isCtrlPlaneError(reason) ? reason.hint : undefined;
  return {
    severity: "error",
    code: "lease-lost",
    summary: reason instanceof Error ? reason.message : "the lease was lost",
    ...(hint === undefined ? {} : { hint }),
  };
}

function notRecorded(what: string, error: unknown): Diagnostic {
  const why = messageOf(error);
  return {
    severity: "error",
    code: "not-recorded",
    summary: `${what} could not be written: ${why}`,
    hint: "What was deployed stands. pctl state rebuild writes it anew.",
  };
}

function describeResult(result: ChangeResult): string {
  const of = (outcome: DeploymentResult["outcome"]): string =>
    result.services
      .filter((each) => each.outcome === outcome)
      .map((each) => each.service)
      .join(", ");
  if (result.exitCode === 5) return "the lease was lost, and nothing was written after that";
  switch (result.outcome) {
    case "succeeded":
      return "done";
    case "unchanged":
      return "nothing to do";
    case "reverted":
      return `${of("reverted")} failed and was reverted`;
    case "failed":
      return `${of("failed") || of("skipped")} failed`;
    case "attention":
      return (
        [of("held"), of("unreachable"), of("paused")].filter((each) => each !== "").join(", ") + " needs attention"
      );
    case "interrupted":
      return "interrupted; the next command goes on from here";
  }
}
