import { label } from "@ctrlplane/core/provider";
import type { InstanceBase } from "@ctrlplane/core/provider";
import { isReplica } from "./containers.ts";
import type { ContainerSummary } from "./engine-types.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { gatewayPorts } from "./gateway-ports.ts";

/** Whether requests come through to what is routed: by the gateway, or at ports that a replica publishes itself. */
export function isReachable(
  { targets = {}, ports }: Pick<InstanceRecord, "targets" | "ports">,
  containers: readonly ContainerSummary[],
): boolean {
  if (Object.keys(targets).length === 0 || gatewayPorts({ ports }).length === 0) return true;
  const running = containers.filter((each) => each.State === "running");
  if (running.some((each) => each.Labels?.[label.role] === "gateway")) return true;
  const isPublished = ports.some((each) => each.hostPort !== undefined);
  // Without host ports and without a gateway, the replica has the service's name itself.
  return running.some(
    (each) => isReplica(each) && (!isPublished || each.Ports.some((port) => port.PublicPort !== undefined)),
  );
}

/** An instance whose gateway is gone has no ports, and serves nobody. */
export function cutOff(base: InstanceBase): InstanceBase {
  return { ...base, isCutOff: true, addresses: [], fields: { ...base.fields, ports: [] } };
}
