import { CtrlPlaneError } from "../errors/error.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { Adoption } from "../model/plan.ts";
import type { ProviderContext } from "../provider/context.ts";
import { withoutPauses } from "../rollout/stages.ts";
import type { DesiredInstance, KnownInstance } from "../plan/input.ts";
import type { StrategySpec } from "../model/spec.ts";
import type { ChangeScope } from "./change-scope.ts";

/** What pctl 1.1 made under an instance's name is the instance's own. Throws `UNSUPPORTED` where the provider takes nothing over. */
export async function adopt(
  scope: ChangeScope,
  instance: InstanceIdentity,
  adoption: Adoption,
  context: ProviderContext,
): Promise<void> {
  const provider = scope.provider(instance);
  if (provider.adopt !== undefined) return provider.adopt({ instance, ...adoption }, context);
  throw new CtrlPlaneError("UNSUPPORTED", `${provider.type} takes nothing over that pctl 1.1 made`, {
    provider: instance.provider,
    target: instance.name,
    hint: "Remove it there by hand, or give the service another name.",
  });
}

/** How a release takes the place of what serves: what pctl 1.1 made has ports of its own, and no share of the traffic to give. */
export function firstStrategy({ spec }: DesiredInstance, { observed }: KnownInstance): StrategySpec {
  return observed?.isLegacy === true ? withoutPauses(spec.strategy) : spec.strategy;
}
