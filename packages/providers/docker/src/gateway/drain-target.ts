import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { findGateways, type GatewayContainer } from "./container.ts";
import { withControl, type Control } from "./control.ts";
import { askWorker, workersOf } from "./follow.ts";
import type { GatewayPlace } from "./gateway-table.ts";
import { keyOf } from "./server-commands.ts";
import { isOfTarget } from "./servers.ts";
import { parseActivity, type ServerActivity } from "./state.ts";
import { gatewayCall } from "./turns.ts";

const pollMs = 100;
/** What is cut off is gone at once; this is for a host that has no time for it. */
const closeMs = 5000;

/**
 * Resolves when no request and no connection is open on the target, or after `timeoutMs` with the rest closed. It has no weight any more (`applyGateway`).
 * A gateway that is gone or dead has nothing open.
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
    const busy = await busyServers(control, targetId);
    if (busy.length === 0) return;
    const now = clock.monotonic();
    if (now >= until + closeMs) {
      throw new CtrlPlaneError("TIMEOUT", `${container.name} does not close what is open on ${targetId}`, {
        target: container.name,
        retryable: true,
      });
    }
    if (now >= until) {
      fence.check();
      for (const { worker, server } of busy)
        await askWorker(control, worker, [`shutdown sessions server ${keyOf(server)}`]);
    }
    await clock.sleep(Math.min(pollMs, Math.max(10, until - now)), signal);
  }
}

async function busyServers(
  control: Control,
  targetId: string,
): Promise<readonly { readonly worker: number | undefined; readonly server: ServerActivity }[]> {
  const found = [];
  for (const worker of await workersOf(control)) {
    const servers = parseActivity(await askWorker(control, worker, ["show stat -1 4 -1"]));
    for (const server of servers)
      if (isOfTarget(server, targetId) && server.inFlight > 0) found.push({ worker, server });
  }
  return found;
}
