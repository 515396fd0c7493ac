import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { mapEngineError, segment } from "@ctrlplane/images";
import { logTail } from "../log-lines.ts";
import { configurationOf } from "./configuration.ts";
import { startGateway, writeTable, type GatewayContainer } from "./container.ts";
import { withControl, type Control } from "./control.ts";
import type { GatewayPlace, StoredTable } from "./gateway-table.ts";
import { differences, keyOf, parkCommands, serverCommands, unknownOf, unserved } from "./server-commands.ts";
import { serversOf, type Server } from "./servers.ts";
import {
  activityQuery,
  parseActivity,
  parseInfo,
  parseServers,
  serversQuery,
  type SeenServer,
  type WorkerInfo,
} from "./state.ts";

const loadMs = 20_000;
const pollMs = 50;
const knownMs = 5000;
/** A name is looked up each second, and who was down is asked twice a second. */
const servedMs = 5000;

/** The container runs, and new requests and connections follow the table. What was open goes on. */
export async function follow(
  place: GatewayPlace,
  container: GatewayContainer,
  stored: StoredTable,
  context: ProviderContext,
): Promise<void> {
  const { structure } = configurationOf(stored);
  // First of all: whatever ends or restarts it from here on, it comes back with this.
  await writeTable(place, container, stored, context);
  if (!container.isRunning) await startGateway(place, container, context);
  await withControl(place.engine, container, context, async (control) => {
    const before = container.isRunning ? await workerInfo(control) : undefined;
    if (before === undefined) await loaded(place, container, control, structure, undefined, context);
    await adjust(control, stored, context);
    const seen = parseServers(await control.worker([serversQuery]));
    const isOld = before !== undefined && before.structure !== structure;
    const isFollowed = !isOld && differences(seen, serversOf(stored.table)).length === 0;
    const last = isFollowed ? seen : await beginAnew(place, container, control, stored, context);
    await served(control, stored, last, context);
  });
}

/** Another worker takes over, with this table; resolves with its servers. */
async function beginAnew(
  place: GatewayPlace,
  container: GatewayContainer,
  control: Control,
  stored: StoredTable,
  context: ProviderContext,
): Promise<readonly SeenServer[]> {
  const { pid } = (await workerInfo(control)) ?? {};
  await reload(place, container, context);
  await loaded(place, container, control, configurationOf(stored).structure, pid, context);
  const seen = parseServers(await control.worker([serversQuery]));
  const wrong = differences(seen, serversOf(stored.table));
  if (wrong.length === 0) return seen;
  // The worker that answers was begun by another's reload, with another's table: ours, or what is left of it, is yet to come.
  throw new CtrlPlaneError("CONFLICT", `${container.name} does not follow its table: ${wrong.join("; ")}`, {
    target: container.name,
    retryable: true,
    hint: `\`docker logs ${container.name}\` shows what HAProxy says of it.`,
  });
}

/** Clients are answered; or they are not for so long that nobody of the table is ready. `seen`: the last look. */
async function served(
  control: Control,
  { table }: StoredTable,
  seen: readonly SeenServer[],
  { clock, signal }: ProviderContext,
): Promise<void> {
  const until = clock.monotonic() + servedMs;
  const wanted = serversOf(table);
  for (let last = seen; unserved(last, wanted).length > 0 && clock.monotonic() < until;) {
    await clock.sleep(pollMs, signal);
    last = parseServers(await control.worker([serversQuery]));
  }
}

/** The worker's servers become the table's, and those that nobody uses any more are parked. */
async function adjust(control: Control, { table }: StoredTable, context: ProviderContext): Promise<void> {
  const seen = parseServers(await control.worker([serversQuery]));
  const wanted = serversOf(table);
  const { isFull, raise, hasNew, lower } = serverCommands(seen, wanted);
  // What is routed in this worker stays so until another one has begun.
  if (isFull) return;
  if (raise.length + lower.length > 0) await context.fence.check();
  if (!hasNew) {
    if (raise.length + lower.length > 0) await control.worker([...raise, ...lower]);
  } else {
    await control.worker(raise);
    await known(control, wanted, context);
    if (lower.length > 0) await control.worker(lower);
  }
  const servers = parseServers(await control.worker([serversQuery]));
  const activity = parseActivity(await control.worker([activityQuery]));
  const park = parkCommands(servers, new Set(activity.filter((each) => each.inFlight === 0).map(keyOf)));
  if (park.length > 0) await control.worker(park);
}

/** The names of all that get traffic are known; or one is not for so long that its container is gone. */
async function known(control: Control, wanted: readonly Server[], { clock, signal }: ProviderContext): Promise<void> {
  const until = clock.monotonic() + knownMs;
  while (unknownOf(parseServers(await control.worker([serversQuery])), wanted).length > 0) {
    if (clock.monotonic() > until) return;
    await clock.sleep(pollMs, signal);
  }
}

/** Of the worker that serves; undefined while none answers. */
async function workerInfo(control: Control): Promise<WorkerInfo | undefined> {
  return parseInfo(await control.worker(["show info"]));
}

async function reload(
  { engine }: GatewayPlace,
  { id, name }: GatewayContainer,
  context: ProviderContext,
): Promise<void> {
  await context.fence.check();
  try {
    const query = { signal: "SIGUSR2" };
    await engine.json({ method: "POST", path: `/containers/${segment(id)}/kill`, query, signal: context.signal });
  } catch (error) {
    throw mapEngineError(error, name);
  }
}

/** A worker answers that was started with this configuration, and is not the one before: its listeners are open. */
async function loaded(
  { engine }: GatewayPlace,
  container: GatewayContainer,
  control: Control,
  structure: string,
  pidBefore: number | undefined,
  { clock, signal }: ProviderContext,
): Promise<void> {
  const until = clock.monotonic() + loadMs;
  while (true) {
    const info = await workerInfo(control);
    if (info?.structure === structure && info.pid !== pidBefore) return;
    if (clock.monotonic() > until) break;
    await clock.sleep(pollMs, signal);
  }
  const tail = await logTail(engine, container, 20);
  throw new CtrlPlaneError("FAILED", `${container.name} does not take its new configuration`, {
    target: container.name,
    failure: {
      code: "FAILED",
      reason: "HAProxy did not load its configuration",
      replica: container.name,
      logTail: tail,
    },
    hint: `\`docker logs ${container.name}\` shows what HAProxy says of it.`,
  });
}
