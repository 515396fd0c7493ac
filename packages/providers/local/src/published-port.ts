import { label } from "@ctrlplane/core/provider";
import type { InstanceIdentity } from "@ctrlplane/core/provider";
import { isHttp } from "./address.ts";
import { overlaps } from "./process/listening-sockets.ts";
import { readInstances } from "./supervisor/read.ts";
import type { InstanceRecord, RouteListener } from "./supervisor/records.ts";

/** A port that the gateway listens on for an instance of this data folder. Plain data. */
export interface PublishedPort extends RouteListener {
  /** Name of the instance, e.g. `shop-web`. */
  readonly instance: string;
  readonly stack: string;
  readonly service: string;
  readonly lineage?: string;
}

/** All ports of the data folder, of whatever stack. */
export function readPublished(dir: string): readonly PublishedPort[] {
  return publishedBy(readInstances(dir));
}

export function publishedBy(instances: readonly InstanceRecord[]): readonly PublishedPort[] {
  return instances.flatMap(({ name, stack, service, labels, route }) => {
    const lineage = labels[label.lineage];
    const owner = { instance: name, stack, service, ...(lineage === undefined ? {} : { lineage }) };
    return (route?.listeners ?? []).map((each) => ({ ...each, ...owner }));
  });
}

export function isOfStack(
  port: PublishedPort,
  { stack, lineage }: Pick<InstanceIdentity, "stack" | "lineage">,
): boolean {
  return port.stack === stack && port.lineage === lineage;
}

/**
 * True where two services cannot have these ports at a time. One address and port of HTTP is shared by services whose
 * domains differ; one of them may have none, and gets what the others do not take.
 */
export function isClash(one: RouteListener, other: RouteListener): boolean {
  if (one.port !== other.port || (one.protocol === "udp") !== (other.protocol === "udp")) return false;
  if (!overlaps(one.address, other.address)) return false;
  const isShareable = one.address === other.address && isHttp(one.protocol) && isHttp(other.protocol);
  return !isShareable || entriesOf(one).some((each) => entriesOf(other).includes(each));
}

/** What a listener takes; the empty entry stands for all that nobody else takes. */
function entriesOf({ domains = [] }: RouteListener): readonly string[] {
  if (domains.length === 0) return [""];
  return domains.map(({ host, path }) => `${host.toLowerCase()}${path.replace(/\/+$/, "")}/`);
}

/** e.g. `8080`, `127.0.0.1:8080`. */
export function describePort({ address, port }: Pick<RouteListener, "address" | "port">): string {
  return address === "*" ? String(port) : `${address}:${port}`;
}
