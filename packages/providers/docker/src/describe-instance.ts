import type { InstanceBase, PortSpec } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { publishedUrls } from "./address.ts";
import type { FoundInstance } from "./instance-records.ts";
import { dockerLabel } from "./labels.ts";
import { findContainers } from "./containers.ts";
import { isReachable, withoutPorts } from "./reachable.ts";
import type { VolumeAnswer } from "./volume-list.ts";
import { instanceVolumes } from "./volumes.ts";

/** What an instance is besides its replicas; asks for its volumes and containers. */
export async function observeInstance(
  { engine, publicHost }: { readonly engine: EngineClient; readonly publicHost: string },
  found: FoundInstance,
  signal: AbortSignal,
): Promise<InstanceBase> {
  const [volumes, containers] = await Promise.all([
    instanceVolumes(engine, { name: found.name, named: found.record.volumes ?? [] }, signal),
    findContainers(engine, found.name, signal),
  ]);
  const base = describeFound(publicHost, found, volumes);
  return isReachable(found.record, containers) ? base : withoutPorts(base);
}

/** Pure. */
export function describeFound(
  publicHost: string,
  { name, stack, labels, record }: FoundInstance,
  volumes: readonly VolumeAnswer[],
): InstanceBase {
  const { service, settled, stopped, targets, ports, range } = record;
  const shown: readonly PortSpec[] = targets === undefined ? [] : ports;
  const wanted =
    settled === undefined ? 0 : typeof settled.replicas === "number" ? settled.replicas : settled.replicas.min;
  // Where nothing should be routed, nothing being routed is no news.
  const isComparable = targets !== undefined || (!stopped && wanted > 0);
  return {
    name,
    stack,
    service,
    labels,
    stopped,
    addresses: publishedUrls(publicHost, shown),
    volumes: volumes
      .filter((each) => each.Labels?.[dockerLabel.owner] === name || record.volumes?.includes(each.Name) === true)
      .map((each) => each.Name)
      .sort(),
    observedFields: isComparable ? ["ports"] : [],
    fields: isComparable ? { ports: shown } : {},
    ...(settled === undefined ? {} : { settled }),
    ...(settled?.image === undefined ? {} : { image: settled.image.digest }),
    ...(range === undefined ? {} : { range }),
  };
}
