import { instanceLabels } from "@ctrlplane/core/provider";
import type { InstanceBase, InstanceIdentity, Release, ServiceSpec } from "@ctrlplane/core/provider";
import { isHttp, listenings, publishedUrls } from "./address.ts";
import { scheduleStatus } from "./schedule/status.ts";
import type { LocalReplica } from "./supervisor/operations.ts";
import type { InstanceDescription, InstanceRecord, RouteListener, RouteSet } from "./supervisor/records.ts";
import type { VolumeRecord } from "./volumes.ts";

/** What is recorded of an instance once it serves this release; without secrets. */
export function describeRelease({ instance, spec, image }: Release, volumes: readonly string[]): InstanceDescription {
  return {
    ...describeIdentity(instance),
    image: image.digest,
    addresses: publishedUrls(spec),
    volumes,
    ...(typeof spec.scale.replicas === "number" ? {} : { range: spec.scale.replicas }),
    observedFields: ["ports"],
    fields: { ports: spec.ports },
  };
}

/** What is recorded of an instance of which no release is known. */
export function describeIdentity(instance: InstanceIdentity): InstanceDescription {
  return {
    name: instance.name,
    stack: instance.stack,
    service: instance.service,
    labels: instanceLabels(instance),
    addresses: [],
    volumes: [],
    observedFields: [],
    fields: {},
  };
}

/** The listeners of a release, and who gets what share. */
export function routeOf({ instance, spec }: Release, targets: Readonly<Record<string, number>>): RouteSet {
  return { listeners: listenersOf(instance.id, spec), targets };
}

/** Everything that the gateway listens on for a spec; its domains choose among the requests at published ports alone. */
export function listenersOf(
  instanceId: string,
  spec: Pick<ServiceSpec, "ports" | "domains">,
): readonly RouteListener[] {
  const { domains } = spec;
  return listenings(instanceId, spec).map(({ isPublished, ...listener }) =>
    isPublished && isHttp(listener.protocol) && domains.length > 0 ? { ...listener, domains } : listener,
  );
}

/** An instance as `list` shows it, apart from its replicas: its record, corrected by what is there. */
export async function observe(
  dir: string,
  record: InstanceRecord,
  replicas: readonly LocalReplica[],
  volumes: readonly VolumeRecord[],
): Promise<InstanceBase> {
  const { route, settled, stopped, ...description } = record;
  const own = volumes.filter((each) => each.instance === record.name || record.volumes.includes(each.name));
  const schedule = await scheduleStatus(dir, record.name, replicas, stopped);
  const starts = replicas.flatMap((each) => each.startedAt ?? []).sort();
  return {
    ...description,
    stopped,
    volumes: own.map((each) => each.name).sort(),
    fields: isUnpublished(record) ? { ...record.fields, ports: [] } : record.fields,
    ...(settled === undefined ? {} : { settled }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(starts[0] === undefined ? {} : { since: starts[0] }),
  };
}

/** It should be reachable, and nothing is routed: somebody took its routes away. */
function isUnpublished({ route, settled, stopped }: InstanceRecord): boolean {
  const wanted =
    settled === undefined ? 0 : typeof settled.replicas === "number" ? settled.replicas : settled.replicas.min;
  return route === undefined && !stopped && wanted > 0;
}
