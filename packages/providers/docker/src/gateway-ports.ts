import type { ServiceSpec } from "@ctrlplane/core/provider";
import type { GatewayPort } from "./gateway/index.ts";

/** Ports that a gateway can have: UDP is the replica's own. */
export function gatewayPorts({ ports }: Pick<ServiceSpec, "ports">): readonly GatewayPort[] {
  return ports.flatMap(({ containerPort, hostPort, address, protocol }): GatewayPort[] => {
    if (protocol === "udp") return [];
    const isAnywhere = address === undefined || address === "*";
    return [
      {
        containerPort,
        protocol,
        ...(hostPort === undefined ? {} : { hostPort }),
        ...(isAnywhere ? {} : { address }),
      },
    ];
  });
}
