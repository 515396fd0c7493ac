import type { ProviderContext } from "@ctrlplane/core/provider";
import { isEngineError, segment, unlessMissing } from "@ctrlplane/images";
import { inspect } from "../containers.ts";
import { changedByOthers, retireGateway, type GatewayContainer } from "./container.ts";
import type { GatewayPlace } from "./gateway-table.ts";

/**
 * Those that have run. One that was made and never started goes, and its name and ports are free: an engine that was killed while it
 * started one never runs that one again (26.1 kills it after a second or two, as often as it is started). One that another process
 * is just making gets the time to be started, and then is not hit: an engine does not remove without force what runs.
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
    else if (await isStillUnstarted(place, each, context)) await removeCreated(place, each, context);
    else throw changedByOthers(each.name);
  }
  return existing.filter((each) => !each.isUnstarted);
}

/** From its making to its start there is one upload of two small files. */
const startMs = 3000;
const pollMs = 100;

async function isStillUnstarted(
  { engine }: GatewayPlace,
  { id }: GatewayContainer,
  { clock, signal }: ProviderContext,
): Promise<boolean> {
  const until = clock.monotonic() + startMs;
  while (clock.monotonic() < until) {
    await clock.sleep(pollMs, signal);
    const found = await inspect(engine, id, signal);
    if (found?.State.Status !== "created") return false;
  }
  return true;
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
    throw changedByOthers(name, cause);
  }
}
