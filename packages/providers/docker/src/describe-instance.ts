import { leastReplicas, type InstanceBase, type PortSpec, type ProviderContext } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { publishedUrls } from "./address.ts";
import type { FoundInstance, InstanceRecord } from "./instance-record.ts";
import { dockerLabel } from "./labels.ts";
import type { Adoption } from "./adoption.ts";
import { legacyOf, type Legacy } from "./adopted-replicas.ts";
import { findContainers, isReplica } from "./containers.ts";
import type { ContainerSummary } from "./engine-types.ts";
import { frontFacts } from "./front.ts";
import { isReachable, cutOff } from "./reachable.ts";
import type { VolumeAnswer } from "./volume-list.ts";
import { instanceVolumes } from "./volumes.ts";

/** What an instance is besides its replicas; asks for its volumes and containers. */
export async function observeInstance(
  { engine, publicHost }: { readonly engine: EngineClient; readonly publicHost: string },
  found: FoundInstance,
  adoption: Adoption | undefined,
  context: Pick<ProviderContext, "fence" | "signal">,
): Promise<InstanceBase> {
  const [volumes, containers] = await Promise.all([
    instanceVolumes(engine, { name: found.name, named: found.record.volumes ?? [] }, context),
    findContainers(engine, found.name, context.signal),
  ]);
  const legacy = legacyOf(found.name, containers, { adoption, record: found.record });
  const base = describeFound(publicHost, found, volumes, containers, legacy);
  return isReachable(found.record, containers) ? base : cutOff(base);
}

/** Pure. `containers`: its own. */
export function describeFound(
  publicHost: string,
  { name, stack, labels, record }: FoundInstance,
  volumes: readonly VolumeAnswer[],
  containers: readonly ContainerSummary[],
  legacy?: Legacy,
): InstanceBase {
  const { service, settled, targets, ports, range } = record;
  const old = settled === undefined && legacy !== undefined && legacy.containers.length > 0 ? legacy : undefined;
  const stopped = isStopped(record, old);
  const shown: readonly PortSpec[] = targets !== undefined ? ports : portsOf(old);
  const most = settled === undefined || typeof settled.replicas === "number" ? undefined : settled.replicas.max;
  const held = {
    ...(settled === undefined ? {} : { settled }),
    ...(most === undefined ? {} : { wanted: most }),
  };
  const wanted = leastReplicas(held) ?? 0;
  // Where nothing should be routed, nothing being routed is no news.
  const isComparable = targets !== undefined || (!stopped && wanted > 0);
  const own = volumes
    .filter((each) => each.Labels?.[dockerLabel.owner] === name || record.volumes?.includes(each.Name) === true)
    .map((each) => each.Name);
  return {
    name,
    stack,
    service,
    labels,
    stopped,
    addresses: publishedUrls(publicHost, shown),
    volumes: [...new Set([...own, ...(legacy?.volumes ?? [])])].sort(),
    observedFields: isComparable ? ["ports"] : [],
    fields: isComparable ? { ports: shown } : {},
    facts: { ...frontFacts(containers) },
    ...held,
    ...(settled?.image === undefined ? {} : { image: settled.image.digest }),
    ...(range === undefined ? {} : { range }),
    ...legacyFacts(legacy, old !== undefined),
    ...sinceOf(containers),
  };
}

/** What was stopped of 1.1's may run again by its hand. */
function isStopped({ stopped }: InstanceRecord, legacy: Legacy | undefined): boolean {
  return stopped && legacy?.containers.some((each) => each.State === "running") !== true;
}

function portsOf(legacy: Legacy | undefined): readonly PortSpec[] {
  return legacy?.ports ?? [];
}

/** When the oldest replica that runs was made: a list of containers does not say when one was started. */
function sinceOf(containers: readonly ContainerSummary[]): Pick<InstanceBase, "since"> {
  const made = containers.flatMap((each) => (each.State === "running" && isReplica(each) ? each.Created : []));
  return made.length === 0 ? {} : { since: new Date(Math.min(...made) * 1000).toISOString() };
}

function legacyFacts(legacy: Legacy | undefined, isLegacy: boolean): Pick<InstanceBase, "isLegacy" | "adoptedLayout"> {
  const layout = legacy?.layout;
  return { ...(isLegacy ? { isLegacy } : {}), ...(layout === undefined ? {} : { adoptedLayout: layout }) };
}
