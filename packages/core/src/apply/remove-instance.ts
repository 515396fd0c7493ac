import type { DeploymentResult } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { ChangeScope } from "./change-scope.ts";
import { adopt } from "./adopt.ts";
import { retainReleases } from "./deploy-instance.ts";
import { carryOut } from "./deployment.ts";

/** Takes one instance away, with its volumes only where the user said so. What could not be confirmed as gone did not happen. */
export async function removeInstance(
  scope: ChangeScope,
  action: PlanAction,
  known: KnownInstance,
  options: { readonly volumes: boolean },
): Promise<DeploymentResult> {
  const { instance } = action;
  const settled = known.observed?.settled;
  const aim = {
    ...(settled === undefined ? {} : { from: settled.number }),
    strategy: "recreate" as const,
    replicas: 0,
  };
  const result = await carryOut(scope, instance, aim, async (deployment) => {
    scope.emitFor(instance, { type: "service.started", message: "is removed" }, deployment.id);
    if (action.adopts !== undefined) await adopt(scope, instance, action.adopts, deployment.context);
    await scope.provider(instance).deprovision({ instance, volumes: options.volumes }, deployment.context);
    await scope.platform(instance).ledger.forgetRun(instance.service, scope.recordContext(scope.platform(instance)));
    const stays = options.volumes || action.volumes.length === 0 ? "" : `; volumes stay: ${action.volumes.join(", ")}`;
    const message = `removed${stays}`;
    scope.emitFor(
      instance,
      { type: "service.done", message, data: { outcome: "removed", volumes: action.volumes } },
      deployment.id,
    );
    return { outcome: "removed", message };
  });
  if (result.outcome !== "removed") return result;
  scope.draft.removed(instance);
  // What left the file can be brought back by a rollback, with its images.
  if (scope.command === "destroy") await retainReleases(scope, instance, []);
  return result;
}
