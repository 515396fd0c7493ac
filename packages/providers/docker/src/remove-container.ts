import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { isEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { inspect } from "./containers.ts";

/** The engine gives up a container's mounts, network and name one after the other. */
const goneMs = 20_000;
const pollMs = 50;

/** The container and its anonymous volumes are gone, and its name is free, when this returns: also where others are removing it. */
export async function removeContainer(engine: EngineClient, id: string, context: ProviderContext): Promise<void> {
  const { clock, fence, signal } = context;
  await fence.check();
  const path = `/containers/${segment(id)}`;
  try {
    await unlessMissing(engine.json({ method: "DELETE", path, query: { force: true, v: true }, signal }));
    return;
  } catch (error) {
    // Its removal is under way.
    if (!isEngineError(error, 409)) throw error;
  }
  const until = clock.monotonic() + goneMs;
  while ((await inspect(engine, id, signal)) !== undefined) {
    if (clock.monotonic() > until)
      throw new CtrlPlaneError("TIMEOUT", `the engine does not get rid of the container ${id.slice(0, 12)}`, {
        target: id,
        retryable: true,
        hint: "Look at the engine's log on the host: something holds its mounts or its network.",
      });
    await clock.sleep(pollMs, signal);
  }
}
