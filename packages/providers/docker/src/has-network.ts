import { segment, unlessMissing, type EngineClient } from "@ctrlplane/images";

/** Whether a network of this id is there: one of the same name that was made later is another. */
export async function hasNetwork(engine: EngineClient, id: string, signal: AbortSignal): Promise<boolean> {
  const found = await unlessMissing(engine.json<object>({ method: "GET", path: `/networks/${segment(id)}`, signal }));
  return found !== undefined;
}
