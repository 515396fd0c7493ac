import type {
  ErrorCode,
  FailureDetail,
  InstanceIdentity,
  Labels,
  LogLine,
  PortSpec,
  Replica,
  ResourceSpec,
  SettledRelease,
} from "@ctrlplane/core/provider";

/** What every call sends: who asks, and, where it writes, under which lease. */
export interface CallBody {
  readonly fence?: { readonly stack: string; readonly epoch: number };
  readonly args: unknown;
}

/** An answer: a value, an error, or the order to die that a fault gives to the client's own process. */
export type Answer = { readonly value: unknown } | { readonly error: WireError } | { readonly kill: true };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
  readonly hint?: string;
  readonly target?: string;
  readonly failure?: FailureDetail;
}

/** What the platform keeps of an instance. Environment is kept in its replicas alone. */
export interface InstanceRecord {
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  labels: Labels;
  settled?: SettledRelease;
  stopped: boolean;
  range?: { readonly min: number; readonly max: number };
  volumes: string[];
  route?: RouteRecord;
}

export interface RouteRecord {
  readonly release: number;
  readonly ports: readonly PortSpec[];
  readonly addresses: readonly string[];
  readonly targets: Readonly<Record<string, number>>;
}

export interface ReplicaRecord {
  readonly id: string;
  readonly instance: string;
  readonly name: string;
  readonly ordinal: number;
  readonly replicaHash: string;
  readonly generation: number;
  readonly deployment: string;
  readonly release: number;
  readonly labels: Labels;
  readonly behaviour: string;
  readonly digest: string;
  readonly env: Readonly<Record<string, string>>;
  /** A job: what has run is not started again, unless it was stopped. */
  readonly once: boolean;
  readonly limits: Pick<ResourceSpec, "cpuMillis" | "memoryMb">;
  /** Number of the release whose health and stop settings it follows. */
  configuredBy: number;
  /** Milliseconds since the epoch; absent until it is started, and after it was stopped. */
  startedAt?: number;
  stopped: boolean;
  /** Ended from outside (`harness.end`), at this time. */
  brokenAt?: number;
  starts: number;
  readonly log: { readonly at: number; readonly text: string }[];
}

export interface VolumeRecord {
  readonly name: string;
  /** Of the instance that it was made for; none where it was there before. */
  readonly labels: Labels;
  /** Names of the instances that use it, or did when they were removed. */
  readonly users: string[];
  /** Made for an instance. One that was there before is never removed. */
  readonly isOurs: boolean;
  /** What lies in it. */
  text: string;
}

/** One write, as the platform took it. */
export interface WriteRecord {
  readonly call: string;
  readonly stack: string;
  readonly epoch: number;
  /** What it concerned: an instance, a replica, a ledger record. */
  readonly target: string;
}

/** Everything that is on the platform; what a test sees behind the provider's back. */
export interface PlatformState {
  readonly platformId: string;
  readonly instances: Record<string, InstanceRecord>;
  readonly replicas: Record<string, ReplicaRecord>;
  /** Logs of replicas that were removed, newest last. */
  readonly archive: ReplicaRecord[];
  readonly volumes: Record<string, VolumeRecord>;
  readonly ledger: Record<string, { readonly value: string; readonly version: string }>;
  /** Highest epoch seen, by stack. */
  readonly epochs: Record<string, number>;
  /** What a moving image reference means now. */
  readonly tags: Record<string, string>;
  /** Behaviour of content that was built from files, by digest. */
  readonly images: Record<string, string>;
  readonly writes: WriteRecord[];
  /** Counts up; makes ids and versions. */
  made: number;
}

export interface CreateArgs {
  readonly instance: InstanceIdentity;
  readonly name: string;
  readonly ordinal: number;
  readonly replicaHash: string;
  readonly generation: number;
  readonly deployment: string;
  readonly release: number;
  readonly labels: Labels;
  readonly digest: string;
  readonly declared: string;
  readonly env: Readonly<Record<string, string>>;
  readonly once: boolean;
  readonly limits: ReplicaRecord["limits"];
  readonly volumes: readonly string[];
}

export interface ListArgs {
  readonly stack?: string;
  readonly names?: readonly string[];
  readonly cursor?: string;
  readonly limit: number;
}

/** An instance with all that `list` needs of it. */
export interface InstanceView {
  readonly record: InstanceRecord;
  readonly replicas: readonly Replica[];
  /** Digest of the image of its settled replicas. */
  readonly image?: string;
}

export interface SettleArgs {
  readonly instance: InstanceIdentity;
  readonly settled?: SettledRelease;
}

export interface LogArgs {
  readonly instance: string;
  readonly follow: boolean;
  readonly since?: string;
  readonly tail?: number;
  readonly replica?: string;
  readonly deployment?: string;
  /** How many lines the reader has already. */
  readonly after: number;
}
export interface LogAnswer {
  readonly lines: readonly LogLine[];
  readonly after: number;
}

/** What a fault does to one call. */
export type FaultKind =
  /** Refused with `code`; nothing happened. */
  | { readonly kind: "error"; readonly code: ErrorCode; readonly retryable?: boolean; readonly message?: string }
  | { readonly kind: "delay"; readonly ms: number }
  /** It happened, and the connection broke before the answer. */
  | { readonly kind: "lost-reply" }
  /** It arrives twice. */
  | { readonly kind: "double" }
  /** Never answered; nothing happened. */
  | { readonly kind: "hang" }
  /** The calling process gets SIGKILL before it happens, or after. */
  | { readonly kind: "kill-before" }
  | { readonly kind: "kill-after" };

/** Armed for the `nth` (default 1) such call from now on, and the `times - 1` (default 0) calls after it. `*`: any call. */
export type Fault = FaultKind & { readonly call: string; readonly nth?: number; readonly times?: number };
