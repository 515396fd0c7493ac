import type { Diagnostic } from "../errors/diagnostic.ts";
import type { Change, ChangeResult, DeploymentResult } from "../model/change.ts";
import type { ChangeScope } from "../apply/change-scope.ts";
import { summarize } from "../apply/outcome.ts";
import type { Lease } from "../state/lease.ts";
import { listAll } from "./survey.ts";

/** Records how a change ended: state document, the change's second record on every platform, the last event. */
export async function finishChange(
  scope: ChangeScope,
  change: Change,
  of: {
    readonly services: readonly DeploymentResult[];
    readonly leases: ReadonlyMap<string, Lease>;
    readonly begun: number;
  },
): Promise<Change> {
  const isLost = [...of.leases.values()].some((lease) => lease.lost.aborted);
  const problems: Diagnostic[] = [];
  const attempt = async (what: string, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push({
        severity: "error",
        code: "not-recorded",
        summary: `${what} could not be written: ${why}`,
        hint: "What was deployed stands. pctl state rebuild writes it anew.",
      });
    }
  };
  await attempt("the state file", () => scope.draft.write(scope.core.store, scope.stack.name));
  const elapsedMs = Math.round(scope.core.clock.monotonic() - of.begun);
  const addresses = await publishedAddresses(scope);
  const summary = summarize({
    services: of.services,
    elapsedMs,
    diagnostics: [],
    addresses,
    isInterrupted: scope.signal.aborted,
  });
  const judged: ChangeResult = isLost ? { ...summary, exitCode: 5 } : summary;
  const finishedAt = new Date(scope.core.clock.now()).toISOString();
  const output = scope.events.events.map((event) => JSON.stringify(event));
  if (!isLost) {
    for (const id of of.leases.keys()) {
      const platform = scope.platforms.platforms.get(id);
      if (platform === undefined) continue;
      await attempt("the history", () =>
        platform.ledger.finishChange(change.number, judged, finishedAt, output, scope.recordContext(platform)),
      );
    }
  }
  const result: ChangeResult =
    problems.length === 0
      ? judged
      : { ...judged, exitCode: judged.exitCode === 0 ? 1 : judged.exitCode, diagnostics: problems };
  for (const problem of problems)
    scope.emit({ type: "diagnostic", level: "error", message: problem.summary, data: { ...problem } });
  scope.emit({
    type: "result",
    level: result.exitCode === 0 ? "info" : "error",
    message: describeResult(result),
    data: { ...result },
  });
  return { ...change, finishedAt, result };
}

async function publishedAddresses(scope: ChangeScope): Promise<string[]> {
  const addresses = new Set<string>();
  for (const bound of scope.platforms.providers.values()) {
    if ("problem" in bound) continue;
    try {
      const instances = await listAll(bound.provider, { stack: scope.stack.name }, scope.readContext());
      for (const instance of instances) for (const address of instance.addresses) addresses.add(address);
    } catch (error) {
      scope.core.log.warn("addresses could not be read", { provider: bound.name, error });
    }
  }
  return [...addresses];
}

function describeResult(result: ChangeResult): string {
  const of = (outcome: DeploymentResult["outcome"]): string =>
    result.services
      .filter((each) => each.outcome === outcome)
      .map((each) => each.service)
      .join(", ");
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
