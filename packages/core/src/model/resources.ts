/** The seed's resource types. In stored JSON their names are snake_case (`cpu_millis`). */
export interface ResourceSpec {
  /** Thousandths of a core. Absent: no limit. */
  readonly cpuMillis?: number;
  /** Mebibytes. Absent: no limit. */
  readonly memoryMb?: number;
  readonly diskMb?: number;
  readonly gpuType?: string;
  readonly gpuCount?: number;
}

export type Protocol = "auto" | "http" | "tcp" | "udp";

export interface PortSpec {
  readonly containerPort: number;
  /** Absent: reachable by other services, published nowhere. */
  readonly hostPort?: number;
  /** `auto`: decided for each connection by the client's first bytes; none within a second is TCP. */
  readonly protocol: Protocol;
  /** Address on the host to publish at. Default: all (`0.0.0.0`). */
  readonly address?: string;
}

/** A number of replicas, or a range that belongs to the autoscaler. */
export type ReplicaCount = number | { readonly min: number; readonly max: number };

export interface ScaleSpec extends ResourceSpec {
  readonly replicas: ReplicaCount;
}

export function maximumOf(count: ReplicaCount): number {
  return typeof count === "number" ? count : count.max;
}

export function isEqualCount(a: ReplicaCount, b: ReplicaCount): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.min === b.min && a.max === b.max;
}
