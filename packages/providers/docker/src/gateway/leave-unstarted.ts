import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { isEngineError, segment, unlessMissing } from "@ctrlplane/images";
import { retireGateway, type GatewayContainer } from "./container.ts";
import type { GatewayPlace } from "./gateway-table.ts";

/**
 * Those that have run. One that was made and never started goes, and its name and ports are free: an engine that was killed while it
 * started one never runs that one again (26.1 kills it after a second or two, as often as it is started). One that another process
 * starts at this moment is not hit: an engine does not remove without force what runs.
 */
export async function leaveUnstarted(
  place: GatewayPlace,
  existing: readonly GatewayContainer[],
  context: ProviderContext,
): Promise<readonly GatewayContainer[]> {
  for (const each of existing) {
    if (!each.isUnstarted) continue;
    // The engine says that it runs, and knows no start of it.
    if (each.isRunning) await retireGateway(place, each, 0, context);
    else await removeCreated(place, each, context);
  }
  return existing.filter((each) => !each.isUnstarted);
}

async function removeCreated(
  { engine }: GatewayPlace,
  { id, name }: GatewayContainer,
  { fence, signal }: ProviderContext,
): Promise<void> {
  await fence.check();
  try {
    const path = `/containers/${segment(id)}`;
    await unlessMissing(engine.json({ method: "DELETE", path, query: { v: true }, signal }));
  } catch (cause) {
    if (!isEngineError(cause, 409)) throw cause;
    const message = `the gateway ${name} is being changed by others`;
    throw new CtrlPlaneError("CONFLICT", message, { target: name, retryable: true, cause });
  }
}
