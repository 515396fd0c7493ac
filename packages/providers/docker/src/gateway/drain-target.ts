import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { findGateways, type GatewayContainer } from "./container.ts";
import { withControl, type Control } from "./control.ts";
import { hostNameOf, type GatewayPlace } from "./gateway-table.ts";
import { keyOf } from "./server-commands.ts";
import {
  activityQuery,
  parseActivity,
  parseInfo,
  parseOldWorkers,
  parseServers,
  parseSessions,
  serversQuery,
  type OpenSession,
} from "./state.ts";
import { gatewayCall } from "./turns.ts";

const pollMs = 100;
/** What is cut off is gone at once; this is for a host that has no time for it. */
const closeMs = 5000;

/**
 * Resolves when no request and no connection is open on the target, or after `timeoutMs` with the rest closed. It has no weight any more
 * (`applyGateway`). A gateway that is gone or dead has nothing open.
 */
export async function drainTarget(
  place: GatewayPlace,
  targetId: string,
  { timeoutMs }: { readonly timeoutMs: number },
  context: ProviderContext,
): Promise<void> {
  const until = context.clock.monotonic() + timeoutMs;
  await gatewayCall(place, context, async () => {
    const gateways = (await findGateways(place, context)).filter((each) => each.isRunning);
    await Promise.all(
      gateways.map((each) =>
        withControl(place.engine, each, context, (control) => drain(control, each, targetId, until, context)),
      ),
    );
  });
}

async function drain(
  control: Control,
  container: GatewayContainer,
  targetId: string,
  until: number,
  { clock, signal, fence }: ProviderContext,
): Promise<void> {
  while (true) {
    const now = clock.monotonic();
    const isOver = now >= until;
    const busy = await busyWorkers(control, targetId);
    // Clients that only might ask are let go of in the end.
    if (busy.length === 0 || (isOver && busy.every((each) => each.sessions.length === 0))) return;
    if (now >= until + closeMs) {
      throw new CtrlPlaneError("TIMEOUT", `${container.name} does not close what is open on ${targetId}`, {
        target: container.name,
        retryable: true,
      });
    }
    if (isOver) {
      await fence.check();
      for (const { ask, sessions } of busy) await ask(sessions.map(({ id }) => `shutdown session ${id}`));
    }
    await clock.sleep(isOver ? pollMs : Math.min(pollMs, Math.max(10, until - now)), signal);
  }
}

type Ask = (commands: readonly string[]) => Promise<string>;

interface BusyWorker {
  readonly ask: Ask;
  /** Open on the target. */
  readonly sessions: readonly OpenSession[];
}

/** Workers that have something open on the target, or still may send it something. */
async function busyWorkers(control: Control, targetId: string): Promise<readonly BusyWorker[]> {
  const found: BusyWorker[] = [];
  const ask: Ask = (commands) => control.worker(commands);
  const slots = await slotsOf(ask, targetId);
  const activity = parseActivity(await ask([activityQuery]));
  if (activity.some((each) => slots.has(keyOf(each)) && each.inFlight > 0))
    found.push({ ask, sessions: (await sessionsOf(ask)).filter((each) => slots.has(keyOf(each))) });
  for (const pid of parseOldWorkers(await control.master(["show proc"]))) {
    const askOld: Ask = (commands) => control.master(commands.map((each) => `@!${pid} ${each}`));
    const old = await slotsOf(askOld, targetId);
    if (old.size === 0) continue;
    // It was replaced by a reload, follows the table of then, and takes no other: a client that is connected may send one more request.
    const all = await sessionsOf(askOld);
    const connections = parseInfo(await askOld(["show info"]))?.connections ?? 0;
    const sessions = all.filter((each) => old.has(keyOf(each)));
    if (sessions.length > 0 || connections > all.length) found.push({ ask: askOld, sessions });
  }
  return found;
}

/** The servers of a worker that stand for the target. */
async function slotsOf(ask: Ask, targetId: string): Promise<ReadonlySet<string>> {
  const servers = parseServers(await ask([serversQuery]));
  return new Set(servers.filter((each) => each.hostName === hostNameOf(targetId)).map(keyOf));
}

async function sessionsOf(ask: Ask): Promise<readonly OpenSession[]> {
  return parseSessions(await ask(["show sess"]));
}
