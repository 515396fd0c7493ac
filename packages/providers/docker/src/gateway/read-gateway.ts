import type { ProviderContext } from "@ctrlplane/core/provider";
import { findGateways, readTable } from "./container.ts";
import type { GatewayPlace, GatewayTable } from "./gateway-table.ts";
import type { Publication } from "./ports.ts";
import { gatewayCall } from "./turns.ts";

/** What is applied now. Plain data. */
export interface GatewayState {
  /** Every container of the gateway, the first one first. */
  readonly containers: readonly {
    readonly id: string;
    readonly name: string;
    /** False where it ended, was killed or never started: nobody answers at its ports. */
    readonly isRunning: boolean;
    /** Host ports that it holds while it runs. */
    readonly publishes: readonly Publication[];
  }[];
  /** What `applyGateway` was told last; undefined where it never came so far. */
  readonly table?: GatewayTable;
}

/** Undefined where the service has no gateway. Reads only. */
export function readGateway(place: GatewayPlace, context: ProviderContext): Promise<GatewayState | undefined> {
  return gatewayCall(place, context, () => read(place, context));
}

async function read(place: GatewayPlace, context: ProviderContext): Promise<GatewayState | undefined> {
  const containers = await findGateways(place, context);
  const [first] = containers;
  if (first === undefined) return undefined;
  const table = (await readTable(place, first, context))?.table;
  return { containers, ...(table === undefined ? {} : { table }) };
}
