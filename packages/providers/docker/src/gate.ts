import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import { mappedEngine, segment } from "@ctrlplane/images";
import type { ContainerDetails } from "./engine-types.ts";
import { proberOf } from "./prober.ts";
import { startError } from "./verdicts.ts";
import { requireContainer, waitReady } from "./wait-ready.ts";
import type { WatchParts } from "./watched-container.ts";

export interface GateParts extends WatchParts {
  readonly gatewayImage: string;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Starts containers and waits until they serve. `passed` remembers which start of which container did. */
export function gateOf(parts: GateParts, passed: Map<string, string>) {
  const { engine } = parts;

  const start = async (replica: Named, context: ProviderContext): Promise<void> => {
    await context.fence.check();
    try {
      const path = `/containers/${segment(replica.id)}/start`;
      await engine.json({ method: "POST", path, signal: context.signal });
    } catch (error) {
      throw await startError(engine, error, replica, context.signal);
    }
  };

  const pass = (replica: Named, release: Release, timeoutMs: number, context: ProviderContext): Promise<string> =>
    mappedEngine(replica.name, async () => {
      const probe = proberOf(parts, release, context);
      const { startedAt } = await waitReady(parts, replica, { release, timeoutMs, probe }, context);
      passed.set(replica.id, startedAt);
      return startedAt;
    });

  /** Started and through its gate, within the release's own time. */
  const bringUp = async (replica: Named, release: Release, context: ProviderContext): Promise<ContainerDetails> => {
    await start(replica, context);
    await pass(replica, release, release.spec.strategy.timeoutMs, context);
    return requireContainer(engine, replica, context.signal);
  };

  return { start, pass, bringUp };
}
