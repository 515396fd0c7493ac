import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { DeploymentResult } from "../model/change.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { InstanceStatus } from "../model/observed.ts";
import type { Adoption } from "../model/plan.ts";
import type { ProviderContext } from "../provider/context.ts";
import { adopt } from "./adopt.ts";
import type { ChangeScope } from "./change-scope.ts";
import { failedResult, isInterruption } from "./outcome.ts";

/** What an operation does to replicas of pctl 1.1, of which there is no release. It replaces none. */
export type LegacyAct = (
  scope: ChangeScope,
  instance: InstanceIdentity,
  context: ProviderContext,
) => Promise<InstanceStatus>;

/**
 * Carries out an operation on what pctl 1.1 made and no release has replaced: it is taken over first, and stays as it is. No intent stands for
 * it: what was decided is on the platform before its effect, and the same command again finishes it.
 */
export async function operateOnLegacy(
  scope: ChangeScope,
  instance: InstanceIdentity,
  adoption: Adoption,
  act: LegacyAct,
): Promise<DeploymentResult> {
  const { clock } = scope.core;
  const begun = clock.monotonic();
  const elapsedMs = (): number => Math.round(clock.monotonic() - begun);
  const context = scope.context(instance);
  scope.emitFor(instance, { type: "service.started", message: scope.command });
  try {
    await adopt(scope, instance, adoption, context);
    const status = await act(scope, instance, context);
    const message = status.stopped ? "stopped" : `what pctl 1.1 made runs, ${countOf(status)}`;
    const data = { outcome: "succeeded", elapsedMs: elapsedMs(), addresses: status.addresses };
    scope.emitFor(instance, { type: "service.done", message, data });
    const { service, id, provider } = instance;
    return { service, instance: id, provider, outcome: "succeeded", elapsedMs: elapsedMs() };
  } catch (error) {
    if (isInterruption(error)) throw error;
    const { deployment: _, ...result } = failedResult(instance, error, { deployment: "", elapsedMs: elapsedMs() });
    const { failure, hint } = isCtrlPlaneError(error) ? error : {};
    const data = {
      outcome: result.outcome,
      elapsedMs: result.elapsedMs,
      hint,
      failure: failure ?? { code: result.code },
    };
    scope.emitFor(instance, { type: "service.done", level: "error", message: result.reason ?? "failed", data });
    return result;
  }
}

function countOf({ revisions }: InstanceStatus): string {
  const sum = (of: "ready" | "desired"): number => revisions.reduce((total, each) => total + each[of], 0);
  return `${sum("ready")} of ${sum("desired")} ready`;
}

/** `Provider.startAdopted`. Throws `UNSUPPORTED` where the provider takes nothing over. */
export async function startAdopted(
  scope: ChangeScope,
  instance: InstanceIdentity,
  timeoutMs: number,
  context: ProviderContext,
): Promise<InstanceStatus> {
  const provider = scope.provider(instance);
  if (provider.startAdopted !== undefined) return provider.startAdopted({ instance, timeoutMs }, context);
  throw new CtrlPlaneError("UNSUPPORTED", `${provider.type} starts nothing that pctl 1.1 made`, {
    target: instance.name,
  });
}
