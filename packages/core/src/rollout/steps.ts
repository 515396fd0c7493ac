import type { SettledRelease } from "../model/observed.ts";
import { revisionKey, type Release } from "../model/release.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { RevisionDriver, RolloutState, Weights } from "./revision-driver.ts";
import type { RolloutRequest } from "./rollout.ts";
import { beforeEffect, withSignal } from "./with-signal.ts";

/** A driver at work for one rollout: each step asks first whether it is still wanted and allowed. `signal` ends a step early. */
export interface Steps {
  observe(): Promise<RolloutState>;
  ensure(release: Release, replicas: number, signal?: AbortSignal): Promise<void>;
  /** `settled`: `settle` follows with it, and nothing comes in between. */
  weigh(release: Release, weights: Weights, settled?: SettledRelease): Promise<void>;
  retire(key: string, keep: number, signal?: AbortSignal): Promise<void>;
  outlive(release: Release, ms: number, signal?: AbortSignal): Promise<void>;
  configure(release: Release): Promise<void>;
  restore(): Promise<boolean>;
  settle(settled: SettledRelease): Promise<void>;
  /** Tells that `routed` of `replicas` get traffic; what is measured "to serving" ends here. */
  tellRouted(release: Release, routed: number, replicas: number): void;
}

export function stepsOf(driver: RevisionDriver, request: RolloutRequest, context: ProviderContext): Steps {
  const within = async (signal?: AbortSignal): Promise<ProviderContext> => {
    const inner = signal === undefined ? context : withSignal(context, signal);
    await beforeEffect(inner);
    return inner;
  };
  return {
    observe: () => driver.observe(context),
    ensure: async (release, replicas, signal) =>
      driver.ensure(release, replicas, { timeoutMs: request.strategy.timeoutMs }, await within(signal)),
    weigh: async (release, weights, settled) =>
      driver.weigh?.(release, weights, settled === undefined ? {} : { settled }, await within()),
    retire: async (key, keep, signal) => {
      const options = { keep, drainMs: request.strategy.drainMs, ...ownerOf(key, request).spec.stop };
      await driver.retire(key, options, await within(signal));
    },
    outlive: async (release, ms, signal) => driver.outlive(release, ms, await within(signal)),
    configure: async (release) => driver.configure?.(release, await within()),
    restore: async () => (await driver.restore?.(await within())) ?? false,
    settle: async (settled) => driver.settle(settled, await within()),
    tellRouted: (release, routed, replicas) =>
      context.progress({
        type: "replica.routed",
        message: `${routed} of ${replicas} routed`,
        release: release.number,
        data: { routed, replicas },
      }),
  };
}

/** Whose way of stopping a revision follows; one that neither release knows follows the new one's. */
function ownerOf(key: string, { release, previous }: RolloutRequest): Release {
  return previous !== undefined && revisionKey(previous.revision) === key ? previous : release;
}
