import { randomBytes } from "node:crypto";
import type { ProviderContext } from "@ctrlplane/core/provider";
import { probesOf } from "./apply-gateway.ts";
import { probeCheck } from "./checks.ts";
import { probeBackend } from "./configuration.ts";
import { createGateway, findGateways, readTable, retireGateway, type GatewayContainer } from "./container.ts";
import { withControl, type Control } from "./control.ts";
import { follow } from "./follow.ts";
import { leaveUnstarted } from "./leave-unstarted.ts";
import { hostNameOf, type GatewayPlace, type GatewayTarget, type StoredTable } from "./gateway-table.ts";
import { keyOf } from "./server-commands.ts";
import { parseActivity, type ServerActivity } from "./state.ts";
import { gatewayCall, inTurn, lookingAgain } from "./turns.ts";

/** What has to answer. `http`: with 2xx or 3xx. */
export type GatewayProbe = { readonly kind: "tcp" } | { readonly kind: "http"; readonly path: string };

/** `reason` completes "the health check failed: …". */
export type GatewayProbeResult = { readonly passed: true } | { readonly passed: false; readonly reason: string };

/** When the asking ends for a target that does not pass. */
interface ProbeLimits {
  readonly timeoutMs: number;
  /** Aborts where nobody needs to know any more. */
  readonly enough?: AbortSignal;
}

const pollMs = 100;

/**
 * Asks a replica, routed or not, from inside of its network, until it passes, `timeoutMs` is over or it is `enough`; then the last reason. Where the service has no gateway yet one is
 * made that publishes nothing, and makes way for the first `applyGateway`.
 */
export function probeTarget(
  place: GatewayPlace,
  target: Pick<GatewayTarget, "id" | "host">,
  port: number,
  probe: GatewayProbe,
  limits: ProbeLimits,
  context: ProviderContext,
): Promise<GatewayProbeResult> {
  return gatewayCall(place, context, () => askUntilPassed(place, target, port, probe, limits, context));
}

async function askUntilPassed(
  place: GatewayPlace,
  target: Pick<GatewayTarget, "id" | "host">,
  port: number,
  probe: GatewayProbe,
  { timeoutMs, enough }: ProbeLimits,
  context: ProviderContext,
): Promise<GatewayProbeResult> {
  const path = probe.kind === "http" ? probe.path : undefined;
  const container = await inTurn(place, () => lookingAgain(context, () => readyToProbe(place, path, context)));
  const backend = probeBackend(path);
  // Another one each time: what an earlier probe saw does not count.
  const server = `${backend}/${hostNameOf(target.id)}-${port}-${randomBytes(4).toString("hex")}`;
  const words = `${target.host}:${port} weight 0 ${probeCheck(path).words}`;
  const add = [`add server ${server} ${words}`, `enable health ${server}`, `enable server ${server}`];
  return withControl(place.engine, container, context, async (control) => {
    const { clock, signal } = context;
    const until = clock.monotonic() + timeoutMs;
    await context.fence.check();
    await control.worker(add);
    while (true) {
      const seen = await checked(control, backend, server);
      // A reload in between took it away.
      if (seen === undefined) await control.worker(add);
      const isOver = clock.monotonic() >= until || enough?.aborted === true;
      const hasPassed = seen !== undefined && /^L\dOKC?$/.test(seen.check);
      if (hasPassed || isOver) {
        await control.worker([`set server ${server} state maint`]);
        return hasPassed ? { passed: true } : { passed: false, reason: reasonOf(seen, port, path, timeoutMs) };
      }
      await clock.sleep(pollMs, signal);
    }
  });
}

async function checked(control: Control, backend: string, server: string): Promise<ServerActivity | undefined> {
  const servers = parseActivity(await control.worker([`show stat ${backend} 4 -1`]));
  return servers.find((each) => keyOf(each) === server);
}

function reasonOf(seen: ServerActivity | undefined, port: number, path: string | undefined, timeoutMs: number): string {
  const what = path === undefined ? `port ${port}` : `GET ${path} at port ${port}`;
  if (seen === undefined || seen.check === "INI" || seen.check === "")
    return `${what} was not answered within ${timeoutMs} ms`;
  if (seen.check === "L4CON" && /refused/i.test(seen.checkDetail)) return `port ${port} is closed`;
  return `${what}: ${seen.checkDetail}`;
}

/** A gateway that runs and knows what to ask for. */
async function readyToProbe(
  place: GatewayPlace,
  path: string | undefined,
  context: ProviderContext,
): Promise<GatewayContainer> {
  const existing = await leaveUnstarted(place, await findGateways(place, context), context);
  const running = existing.find((each) => each.isRunning && each.isIntact);
  const found = running ?? existing.find(({ publishes, isIntact }) => publishes.length === 0 && isIntact);
  const container = found ?? (await createGateway(place, [], existing, context));
  const probes = new Set([...(await probesOf(place, [container], context)), ...(path === undefined ? [] : [path])]);
  const before = await readTable(place, container, context);
  if (container.isRunning && before?.probes.length === probes.size) return container;
  const stored: StoredTable = { table: before?.table ?? nothing, probes: [...probes] };
  try {
    await follow(place, container, stored, context);
  } catch (error) {
    if (found === undefined) await retireGateway(place, container, 0, context);
    throw error;
  }
  return container;
}

const nothing = { ports: [], targets: [], drainMs: 0 };
