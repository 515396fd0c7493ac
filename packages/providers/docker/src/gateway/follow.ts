import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { mapEngineError, segment } from "@ctrlplane/images";
import { logTail } from "../logs.ts";
import { checkOf } from "./checks.ts";
import { configurationOf } from "./configuration.ts";
import { startGateway, writeTable, type GatewayContainer } from "./container.ts";
import { withControl, type Control } from "./control.ts";
import type { GatewayPlace, StoredTable } from "./gateway-table.ts";
import { differences, keyOf, parkCommands, serverCommands } from "./server-commands.ts";
import { serversOf } from "./servers.ts";
import { parseActivity, parseInfo, parseServers, parseWorkers, type WorkerInfo } from "./state.ts";

const loadMs = 20_000;
const pollMs = 50;

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
    // Workers that are ending serve open connections still; no reload reaches them.
    for (const worker of await workersOf(control)) await adjust(control, worker, stored, context);
    const wrong = await wrongIn(control, stored);
    if (wrong.length === 0 && (before === undefined || before.structure === structure)) return;
    const { pid } = (await workerInfo(control)) ?? {};
    await reload(place, container, context);
    await loaded(place, container, control, structure, pid, context);
    const still = await wrongIn(control, stored);
    if (still.length > 0) {
      throw new CtrlPlaneError("INTERNAL", `${container.name} does not follow its table: ${still.join("; ")}`, {
        target: container.name,
        hint: `\`docker logs ${container.name}\` shows what HAProxy says of it.`,
      });
    }
  });
}

const serversQuery = "show servers state";

async function wrongIn(control: Control, { table }: StoredTable): Promise<readonly string[]> {
  return differences(parseServers(await control.worker([serversQuery])), serversOf(table));
}

/** Process ids of the workers that are ending; undefined stands for the one that serves. */
export async function workersOf(control: Control): Promise<readonly (number | undefined)[]> {
  const pids = parseWorkers(await control.master(["show proc"]));
  // The master lists the one that serves first.
  return [undefined, ...pids.slice(1)];
}

/** What one worker answers. */
export function askWorker(control: Control, worker: number | undefined, commands: readonly string[]): Promise<string> {
  if (worker === undefined) return control.worker(commands);
  return control.master(commands.map((each) => `@!${worker} ${each}`));
}

/** One worker's servers become the table's, and those that nobody uses any more are parked. */
async function adjust(
  control: Control,
  worker: number | undefined,
  { table }: StoredTable,
  context: ProviderContext,
): Promise<void> {
  const seen = parseServers(await askWorker(control, worker, [serversQuery]));
  const commands = serverCommands(seen, serversOf(table), checkOf(table.health));
  if (commands.length > 0) {
    context.fence.check();
    await askWorker(control, worker, commands);
  }
  const servers = parseServers(await askWorker(control, worker, [serversQuery]));
  const activity = parseActivity(await askWorker(control, worker, ["show stat -1 4 -1"]));
  const park = parkCommands(servers, new Set(activity.filter((each) => each.inFlight === 0).map(keyOf)));
  if (park.length > 0) await askWorker(control, worker, park);
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
  context.fence.check();
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
