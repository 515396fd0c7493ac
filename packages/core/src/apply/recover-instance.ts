import type { DeploymentResult } from "../model/change.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { ChangeScope } from "./change-scope.ts";
import { carryOut } from "./deployment.ts";
import { recordServing } from "./deploy-instance.ts";
import { withoutPauses } from "../rollout/stages.ts";
import { rollOutAndVerify } from "./roll-out-release.ts";
import { revertInstance } from "./revert-instance.ts";

/**
 * Ends an unfinished deployment before a command that only operates, which knows no declaration: back to the release that
 * served; forward where there is none to go back to. What only repeated its release (scale, restart), and a removal, are left to
 * the command itself. Undefined where nothing was to be done.
 */
export async function recoverInstance(scope: ChangeScope, known: KnownInstance): Promise<DeploymentResult | undefined> {
  const { unfinished, instance } = known;
  if (unfinished?.to === undefined || unfinished.from === unfinished.to) return undefined;
  if (unfinished.from !== undefined || unfinished.isReverting) return revertInstance(scope, known);
  const { ledger } = scope.platform(instance);
  const intent = await ledger.intent(instance.service, scope.readContext());
  const found = await ledger.release(instance.service, unfinished.to, scope.readContext());
  if (found === undefined || intent === undefined) return revertInstance(scope, known);
  const release = { ...found, instance };
  const settled = known.observed?.settled;
  const strategy = known.observed?.isLegacy === true ? { strategy: withoutPauses(release.spec.strategy) } : {};
  const target = { release, previous: undefined, settled, replicas: intent.replicas, isRollback: false, ...strategy };
  const aim = {
    to: release.number,
    strategy: intent.strategy,
    replicas: intent.replicas,
    kind: release.spec.kind,
  };
  const result = await carryOut(
    scope,
    instance,
    aim,
    (deployment) => rollOutAndVerify(scope, scope.provider(instance), target, deployment),
    intent,
  );
  if (result.outcome === "succeeded") await recordServing(scope, release);
  return result;
}
