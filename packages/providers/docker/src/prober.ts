import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import type { ContainerDetails } from "./engine-types.ts";
import { probeTarget } from "./gateway/index.ts";
import { networkName } from "./names.ts";
import { probeHttp, probePort, type Reach } from "./probe.ts";
import { gatewayPlace, type RoutingParts } from "./routing.ts";

/** Asks a running replica once: undefined where it answered as it has to, else what was seen. `enough`: the asking may end early. */
export type Prober = (details: ContainerDetails, enough: AbortSignal) => Promise<string | undefined>;

/** How long the gateway may ask before the container is looked at again, unless something happens to it. */
const remoteMs = 2000;

/**
 * What has to answer before a replica of this release passes: its health, or that its port opens. Undefined where the engine itself
 * checks, or nothing can be asked. Containers are asked from here where there is a way to them, else by the gateway beside them.
 */
export function proberOf(
  parts: Pick<RoutingParts, "engine" | "gatewayImage">,
  { spec, revision, instance }: Release,
  context: ProviderContext,
): Prober | undefined {
  const { probe, timeoutMs = 1000 } = spec.health ?? {};
  if (probe?.kind === "command") return undefined;
  const port = probe?.port ?? revision.ports.find((each) => each.protocol !== "udp")?.containerPort;
  if (port === undefined) return undefined;
  const path = probe?.kind === "http" ? probe.path : undefined;
  let { reach } = parts.engine;

  const fromHere = (way: Reach, host: string): Promise<string | undefined> => {
    const limits = { timeoutMs, signal: context.signal };
    return path === undefined ? probePort(way, { host, port }, limits) : probeHttp(way, { host, port }, path, limits);
  };
  const byGateway = async (id: string, host: string, enough: AbortSignal): Promise<string | undefined> => {
    const wanted = path === undefined ? ({ kind: "tcp" } as const) : ({ kind: "http", path } as const);
    const place = gatewayPlace(parts, instance);
    const within = { timeoutMs: Math.max(timeoutMs, remoteMs), enough };
    const seen = await probeTarget(place, { id, host }, port, wanted, within, context);
    return seen.passed ? undefined : seen.reason;
  };
  return async (details, enough) => {
    const host = details.NetworkSettings.Networks?.[networkName(instance)]?.IPAddress ?? "";
    if (host === "") return "it has no address yet";
    if (reach !== undefined) {
      try {
        return await fromHere(reach, host);
      } catch (error) {
        if (!isCtrlPlaneError(error) || error.code !== "UNSUPPORTED") throw error;
        // The host's sshd will not change its mind while we wait.
        reach = undefined;
      }
    }
    return byGateway(details.Id, host, enough);
  };
}
