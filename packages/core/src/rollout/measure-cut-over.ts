import type { InstanceIdentity } from "../model/identity.ts";
import type { CutOverTraffic } from "../model/traffic.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

export interface CutOverMeasure {
  /** To be called before each change of what serves; the first call begins to measure. */
  begin(): Promise<void>;
  /** To be called once, when all has ended, well or not: what was measured becomes an event. */
  tell(): Promise<void>;
}

/** Measures as far as the platform can: what it cannot tell is left out, and never stops a rollout. */
export function measureCutOver(
  driver: Pick<ReplicaDriver, "measure">,
  instance: InstanceIdentity,
  context: ProviderContext,
): CutOverMeasure {
  const orNothing = async <T>(ask: () => Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      context.log.debug("the cut-over could not be measured", { instance: instance.name, error });
      return undefined;
    }
  };
  let begun: Promise<(() => Promise<CutOverTraffic | undefined>) | undefined> | undefined;
  return {
    async begin() {
      begun ??= orNothing(() => driver.measure?.(instance, context));
      await begun;
    },
    async tell() {
      const end = await begun;
      const traffic = end === undefined ? undefined : await orNothing(end);
      if (traffic === undefined) return;
      context.progress({ type: "service.traffic", message: describeTraffic(traffic), data: traffic });
    },
  };
}

/** `1204 requests meanwhile, 0 failed, p99 31 ms`. */
function describeTraffic({ requests, failed, closedAtDrain, p99Ms }: CutOverTraffic): string {
  const parts = [`${requests} ${requests === 1 ? "request" : "requests"} meanwhile`, `${failed} failed`];
  if (p99Ms !== null) parts.push(`p99 ${p99Ms < 10 ? p99Ms.toFixed(1) : Math.round(p99Ms)} ms`);
  if (closedAtDrain > 0)
    parts.push(`${closedAtDrain} ${closedAtDrain === 1 ? "connection" : "connections"} closed at drain`);
  return parts.join(", ");
}
