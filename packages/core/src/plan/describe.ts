import type { ReplicaCount } from "../model/resources.ts";
import type { DesiredInstance } from "./input.ts";

export function describeReplicas(count: ReplicaCount): string {
  if (typeof count !== "number") return `${count.min} to ${count.max} replicas`;
  return count === 1 ? "1 replica" : `${count} replicas`;
}

export function describeBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit] ?? "TB"}`;
}

/** Names of volumes: that are to be made, and that the service left when it was removed. */
export interface VolumesOf {
  readonly made: readonly string[];
  readonly left: readonly string[];
}

/** What stands behind sign and name of a service that is to come: image, volumes, replicas, address. */
export function describeDesired(desired: DesiredInstance, { made, left }: VolumesOf): string {
  const { image, spec, addresses } = desired;
  const source = image.source;
  const how = source?.how === "build" ? "build " : "";
  const context =
    source === undefined
      ? ""
      : ` (${source.how === "build" ? `context ${source.context}, ` : ""}${describeBytes(source.bytes)})`;
  const replicas = spec.scale.replicas === 1 ? [] : [describeReplicas(spec.scale.replicas)];
  const volumes = [
    ...made.map((name) => `new volume ${name}`),
    ...left.map((name) => `volume ${name} with the data that it left`),
  ];
  const { schedule, timezone = "UTC" } = spec.job ?? {};
  const times = schedule === undefined ? [] : [`at ${schedule} ${timezone}`];
  const parts = [`${how}${image.declared}${context}`, ...times, ...volumes, ...replicas, ...addresses];
  return (spec.kind === "job" ? ["job", ...parts] : parts).join(", ");
}
