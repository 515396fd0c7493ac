import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ProviderContext } from "@ctrlplane/core/provider";
import { isEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { inspect } from "./containers.ts";
import { isRetired, retiredName, userNameOf } from "./names.ts";

export interface Ending {
  /** Absent: the one that the container was made with, which may be its image's. */
  readonly signal?: string;
  readonly graceMs: number;
}

/** Signal, grace, SIGKILL. Absent is success, and so is one that has ended; the engine starts it no more. */
export async function stopReplica(
  engine: EngineClient,
  id: string,
  { signal, graceMs }: Ending,
  context: ProviderContext,
): Promise<void> {
  const details = await inspect(engine, id, context.signal);
  if (details === undefined || details.State.Status === "created") return;
  const path = `/containers/${segment(id)}`;
  const t = Math.ceil(graceMs / 1000);
  // Older engines send the signal that the container was made with; another one they would take for a crash, and start it again.
  const own = details.Config.StopSignal ?? "SIGTERM";
  if (signal !== undefined && own !== signal && details.State.Running) {
    await post(engine, `${path}/update`, { body: { RestartPolicy: { Name: "no" } } }, context);
    await post(engine, `${path}/kill`, { query: { signal } }, context);
    await ended(engine, id, graceMs, context);
  }
  await post(engine, `${path}/stop`, { query: { t: graceMs === 0 ? 0 : t } }, context);
}

/** Kept for its log, under another name and out of sight. Throws `CONFLICT` where it runs. */
export async function retireReplica(engine: EngineClient, id: string, context: ProviderContext): Promise<void> {
  const details = await inspect(engine, id, context.signal);
  if (details === undefined) return;
  if (isRetired(details.Name)) return;
  const name = userNameOf(details.Name);
  if (details.State.Running) throw new CtrlPlaneError("CONFLICT", `${name} still runs`, { target: name });
  await renameContainer(engine, id, retiredName(name, id), context);
}

/** False where the name is taken. */
export async function renameContainer(
  engine: EngineClient,
  id: string,
  name: string,
  context: ProviderContext,
): Promise<boolean> {
  await context.fence.check();
  try {
    const path = `/containers/${segment(id)}/rename`;
    await unlessMissing(engine.json({ method: "POST", path, query: { name }, signal: context.signal }));
    return true;
  } catch (error) {
    // Taken; or, with 400, its own already.
    if (isEngineError(error, 400, 409)) return false;
    throw error;
  }
}

async function post(
  engine: EngineClient,
  path: string,
  request: { readonly query?: Readonly<Record<string, string | number>>; readonly body?: object },
  { fence, signal }: ProviderContext,
): Promise<void> {
  await fence.check();
  try {
    await unlessMissing(engine.json({ method: "POST", path, ...request, signal }));
  } catch (error) {
    // It has ended by itself.
    if (!isEngineError(error, 409, 304)) throw error;
  }
}

/** Resolves when the container does not run, or after `ms`. */
async function ended(engine: EngineClient, id: string, ms: number, context: ProviderContext): Promise<void> {
  const until = context.clock.monotonic() + ms;
  while (context.clock.monotonic() < until) {
    if ((await inspect(engine, id, context.signal))?.State.Running !== true) return;
    await context.clock.sleep(100, context.signal);
  }
}
