import type { ProviderContext } from "@ctrlplane/core/provider";
import { canStart, createGateway, findGateways, readTable, retireGateway, type GatewayContainer } from "./container.ts";
import { follow } from "./follow.ts";
import type { GatewayPlace, GatewayTable, StoredTable } from "./gateway-table.ts";
import { leaveUnstarted } from "./leave-unstarted.ts";
import { assignPorts, isHeld, publicationsOf, type Publication } from "./ports.ts";
import { gatewayCall, inTurn, lookingAgain } from "./turns.ts";

/**
 * The gateway exists, runs, and new requests and connections follow the table when this returns; what is open goes on where it is.
 * No container that publishes a port that is wanted is made anew for it. Idempotent, also after a crash at any point. Throws `FAILED` with verdict
 * `PORT_IN_USE`, which names who holds the port where that is a container, and `IMAGE_PULL`; `CONFLICT` where a container of others has the gateway's name.
 * After such an error what was routed before still is.
 */
export function applyGateway(place: GatewayPlace, table: GatewayTable, context: ProviderContext): Promise<void> {
  return gatewayCall(place, context, () =>
    inTurn(place, () => lookingAgain(context, () => apply(place, table, context))),
  );
}

async function apply(place: GatewayPlace, table: GatewayTable, context: ProviderContext): Promise<void> {
  const found = await leaveUnstarted(place, await findGateways(place, context), context);
  const existing = await ridOfIdle(place, found, table, context);
  const stored: StoredTable = { table, probes: await probesOf(place, existing, context) };
  const { kept, added, retired } = assignPorts(existing, publicationsOf(table));
  // What may be refused comes first.
  const stopped = kept.filter((each) => !each.isRunning);
  for (const each of stopped) await follow(place, each, stored, context);
  const inTheWay = retired.filter(({ publishes }) => publishes.some((each) => isHeld(each, added ?? [])));
  for (const each of inTheWay) await retireGateway(place, each, 0, context);
  if (added !== undefined) await add(place, added, existing, stored, context);
  for (const each of kept) if (each.isRunning) await follow(place, each, stored, context);
  for (const each of retired) if (!inTheWay.includes(each)) await retireGateway(place, each, table.drainMs, context);
}

/** Nothing of the gateway is left; absent is success. What is open on it is cut. */
export function removeGateway(place: GatewayPlace, context: ProviderContext): Promise<void> {
  return gatewayCall(place, context, () =>
    inTurn(place, async () => {
      for (const each of await findGateways(place, context)) await retireGateway(place, each, 0, context);
    }),
  );
}

async function add(
  place: GatewayPlace,
  publishes: readonly Publication[],
  existing: readonly GatewayContainer[],
  stored: StoredTable,
  context: ProviderContext,
): Promise<void> {
  const made = await createGateway(place, publishes, existing, context);
  try {
    await follow(place, made, stored, context);
  } catch (error) {
    // It never served: half of a gateway would hold its name and its ports.
    await retireGateway(place, made, 0, context);
    throw error;
  }
}

/** One that nobody comes through any more goes; and one that publishes no wanted port and serves nobody (it only probed, or was never started) makes way for one with the ports. */
async function ridOfIdle(
  place: GatewayPlace,
  existing: readonly GatewayContainer[],
  table: GatewayTable,
  context: ProviderContext,
): Promise<readonly GatewayContainer[]> {
  const { retired } = assignPorts(existing, publicationsOf(table));
  const left: GatewayContainer[] = [];
  for (const each of existing) {
    if (!each.isIntact || !(await canStart(place, each, context))) {
      await retireGateway(place, each, 0, context);
      continue;
    }
    const isIdle = retired.includes(each) && (!each.isRunning || !(await isServing(place, each, context)));
    if (isIdle) await retireGateway(place, each, 0, context);
    else left.push(each);
  }
  return left;
}

async function isServing(place: GatewayPlace, container: GatewayContainer, context: ProviderContext): Promise<boolean> {
  const stored = await readTable(place, container, context);
  return (stored?.table.ports.length ?? 0) > 0;
}

/** Paths that were probed stay, so that the next probe needs no reload. */
export async function probesOf(
  place: GatewayPlace,
  existing: readonly GatewayContainer[],
  context: ProviderContext,
): Promise<readonly string[]> {
  const [first] = existing;
  return first === undefined ? [] : ((await readTable(place, first, context))?.probes ?? []);
}
