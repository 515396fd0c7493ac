import type { CutOverTraffic, InstanceIdentity, ProviderContext } from "@ctrlplane/core/provider";
import { gatewayClient } from "./gateway/client.ts";
import { quantileOf } from "./gateway/histogram.ts";
import { runningGateway } from "./gateway/start.ts";
import type { TrafficCounts } from "./gateway/traffic.ts";

/** As `ReplicaDriver.measure`: the gateway counts always, so this reads twice. Undefined where no gateway serves the instance. */
export async function measureTraffic(
  dir: string,
  instance: InstanceIdentity,
  { signal, clock }: ProviderContext,
): Promise<(() => Promise<CutOverTraffic | undefined>) | undefined> {
  const read = async (): Promise<TrafficCounts | undefined> =>
    runningGateway(dir) === undefined ? undefined : gatewayClient({ dir }).traffic(instance.name, { signal });
  const before = await read();
  if (before === undefined) return undefined;
  const begun = clock.monotonic();
  return async () => {
    const after = await read();
    return after === undefined ? undefined : trafficBetween(before, after, Math.round(clock.monotonic() - begun));
  };
}

/** Where the gateway began anew, or the instance was not published for a moment: since then. */
export function trafficBetween(before: TrafficCounts, after: TrafficCounts, elapsedMs: number): CutOverTraffic {
  const from = before.counter === after.counter ? before : undefined;
  return {
    requests: after.requests - (from?.requests ?? 0),
    failed: after.failed - (from?.failed ?? 0),
    closedAtDrain: after.closedAtDrain - (from?.closedAtDrain ?? 0),
    p99Ms: quantileOf(
      after.latency.map((count, bucket) => count - (from?.latency[bucket] ?? 0)),
      0.99,
    ),
    elapsedMs,
  };
}
