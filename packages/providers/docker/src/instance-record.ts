import type { InstanceIdentity, Labels, PortSpec, SettledRelease } from "@ctrlplane/core/provider";

/** What is known of an instance and cannot be read from its containers. Without secrets. */
export interface InstanceRecord {
  readonly v: 1;
  readonly service: string;
  readonly settled?: SettledRelease;
  /** `stop` was asked for, and `start` not since then. */
  readonly stopped: boolean;
  /** Percent by container id, as last decided; absent where nothing is routed. */
  readonly targets?: Readonly<Record<string, number>>;
  /** Ports of the release that is routed. */
  readonly ports: readonly PortSpec[];
  /** Starts that passed their gate while nothing was routed to them yet: container id → when it was started. */
  readonly passed?: Readonly<Record<string, string>>;
  /** Names of the volumes of ours that the routed release has. */
  readonly volumes?: readonly string[];
  readonly range?: { readonly min: number; readonly max: number };
}

export interface FoundInstance {
  readonly name: string;
  readonly stack: string;
  readonly labels: Labels;
  readonly record: InstanceRecord;
}

/** Of an instance of which nothing was settled yet. */
export function emptyRecord({ service }: Pick<InstanceIdentity, "service">): InstanceRecord {
  return { v: 1, service, stopped: false, ports: [] };
}
