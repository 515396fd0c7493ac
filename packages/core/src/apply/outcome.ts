import { isCtrlPlaneError, type CtrlPlaneError } from "../errors/error.ts";
import type { Diagnostic } from "../errors/diagnostic.ts";
import type { ChangeResult, DeploymentResult } from "../model/change.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import { messageOf } from "../errors/message-of.ts";

/** Sums up a change: outcome and exit code (architecture.md §8) follow from its deployments. */
export function summarize(of: {
  readonly services: readonly DeploymentResult[];
  readonly elapsedMs: number;
  readonly diagnostics: readonly Diagnostic[];
  readonly addresses: readonly string[];
  readonly isInterrupted: boolean;
}): ChangeResult {
  const has = (...outcomes: DeploymentResult["outcome"][]): boolean =>
    of.services.some((each) => outcomes.includes(each.outcome));
  const base = { elapsedMs: of.elapsedMs, services: of.services, diagnostics: of.diagnostics, addresses: of.addresses };
  if (of.isInterrupted) return { ...base, outcome: "interrupted", exitCode: 130 };
  if (has("failed")) return { ...base, outcome: "failed", exitCode: 1 };
  if (has("reverted")) return { ...base, outcome: "reverted", exitCode: 3 };
  if (has("paused", "held", "unreachable")) return { ...base, outcome: "attention", exitCode: 4 };
  if (has("skipped")) return { ...base, outcome: "failed", exitCode: 1 };
  if (has("succeeded", "removed")) return { ...base, outcome: "succeeded", exitCode: 0 };
  return { ...base, outcome: "unchanged", exitCode: 0 };
}

/** The result of a deployment that ended with an error. */
export function failedResult(
  instance: InstanceIdentity,
  error: unknown,
  of: {
    readonly deployment: string;
    readonly attempted?: number;
    readonly serving?: number;
    readonly elapsedMs: number;
    /** The strategy says that what failed is kept for inspection. */
    readonly holds?: boolean;
  },
): DeploymentResult {
  const known = isCtrlPlaneError(error) ? error : undefined;
  const isReverted = known?.failure?.reverted === true;
  const { serving, attempted, holds = false, ...rest } = of;
  return {
    service: instance.service,
    instance: instance.id,
    provider: instance.provider,
    ...rest,
    outcome: isReverted ? "reverted" : holds && known?.failure !== undefined ? "held" : "failed",
    ...(attempted === undefined ? {} : { attempted }),
    ...(isReverted && serving !== undefined ? { serving } : {}),
    ...(known?.failure?.verdict === undefined
      ? { code: known?.code ?? "INTERNAL" }
      : { verdict: known.failure.verdict }),
    reason: known?.message ?? messageOf(error),
  };
}

/** True where the process was told to stop, or may not write any more: nothing was decided, the next command goes on. */
export function isInterruption(error: unknown): error is CtrlPlaneError {
  return (
    isCtrlPlaneError(error) && (error.code === "CANCELLED" || (error.code === "CONFLICT" && error.target === "lease"))
  );
}
