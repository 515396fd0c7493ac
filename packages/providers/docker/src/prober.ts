import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import type { ContainerDetails } from "./engine-types.ts";
import { probeTarget } from "./gateway/index.ts";
import { networkName } from "./names.ts";
import { probeHttp, probePort } from "./probe.ts";
import { gatewayPlace, type RoutingParts } from "./routing.ts";

/** Asks a running replica once: undefined where it answered as it has to, else what was seen. */
export type Prober = (details: ContainerDetails) => Promise<string | undefined>;

/** How long the gateway may ask before the container is looked at again. */
const remoteMs = 2000;

/**
 * What has to answer before a replica of this release passes: its health, or that its port opens. Undefined where the engine itself
 * checks, or nothing can be asked. Containers are asked from here where this machine reaches them, else by the gateway beside them.
 */
export function proberOf(
  parts: Pick<RoutingParts, "engine" | "gatewayImage"> & { readonly isLocal: boolean },
  { spec, revision, instance }: Release,
  context: ProviderContext,
): Prober | undefined {
  const { probe, timeoutMs = 1000 } = spec.health ?? {};
  if (probe?.kind === "command") return undefined;
  const port = probe?.port ?? revision.ports.find((each) => each.protocol !== "udp")?.containerPort;
  if (port === undefined) return undefined;
  const path = probe?.kind === "http" ? probe.path : undefined;
  return async (details) => {
    const host = details.NetworkSettings.Networks?.[networkName(instance)]?.IPAddress ?? "";
    if (host === "") return "it has no address yet";
    if (parts.isLocal)
      return path === undefined ? probePort({ host, port }, timeoutMs) : probeHttp({ host, port }, path, timeoutMs);
    const wanted = path === undefined ? ({ kind: "tcp" } as const) : ({ kind: "http", path } as const);
    const target = { id: details.Id, host };
    const place = gatewayPlace(parts, instance);
    const seen = await probeTarget(place, target, port, wanted, { timeoutMs: Math.max(timeoutMs, remoteMs) }, context);
    return seen.passed ? undefined : seen.reason;
  };
}
