import type { Clock } from "@ctrlplane/core/provider";
import { isEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";

const pollMs = 250;
const tries = 5;

/**
 * Removes a network that no container is in. `used`: containers are. `miscounted`: none is, and for a second the engine says that
 * one is. Engines before 28 count the endpoints of a network apart from keeping them and may lose one of two updates at a time
 * (moby/moby#42119); they count anew when they are started.
 */
export async function removeNetwork(
  engine: Pick<EngineClient, "json">,
  { Id, Name }: { readonly Id: string; readonly Name: string },
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Pick<Clock, "sleep"> },
): Promise<"removed" | "used" | "miscounted"> {
  for (let left = tries; left > 0; left -= 1) {
    if (await isRemoved(engine, Id, signal)) return "removed";
    const query = { all: true, filters: { network: [Name] } };
    const inside = await engine.json<readonly object[]>({ method: "GET", path: "/containers/json", query, signal });
    if (inside.length > 0) return "used";
    if (left > 1) await clock.sleep(pollMs, signal);
  }
  return "miscounted";
}

async function isRemoved(engine: Pick<EngineClient, "json">, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await unlessMissing(engine.json({ method: "DELETE", path: `/networks/${segment(id)}`, signal }));
    return true;
  } catch (error) {
    if (!isEngineError(error, 403)) throw error;
    return false;
  }
}
