import type { DomainSpec, HealthSpec, Labels, Protocol, SettledRelease, StopSpec } from "@ctrlplane/core/provider";

/** A container port of a replica and the port of this machine that stands for it. */
export interface ReplicaPort {
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** The port that the replica is to listen on. */
  readonly port: number;
  /** The variable that tells it: `PORT` for the first, `PORT_<containerPort>` for each further one. */
  readonly env: string;
}

/** With the signal that is sent. */
export type ProcessStop = Required<StopSpec>;

/** What may change while a replica runs. */
export interface ReplicaPolicy {
  /** Absent: the gate is that its ports open, or, without any, that it lives for 5 s. */
  readonly health?: HealthSpec;
  /** How it is stopped where the supervisor itself decides to. */
  readonly stop: ProcessStop;
  /** `always`: started again when it ended or lost its health. `never`: jobs, and `onfailure: stop`. */
  readonly restart: "always" | "never";
}

export interface ReplicaLimits {
  readonly cpuMillis?: number;
  readonly memoryMb?: number;
}

/** `replica.json`: what the replica is, without its environment. */
export interface ReplicaRecord {
  readonly id: string;
  /** e.g. `shop-web-1`. */
  readonly name: string;
  /** Name of its instance. */
  readonly instance: string;
  readonly deployment: string;
  readonly releaseNumber: number;
  readonly ordinal: number;
  readonly replicaHash: string;
  readonly generation: number;
  readonly labels: Labels;
  /** Argument list; the first is looked up in the working folder when it contains a slash, else in PATH. */
  readonly command: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly ports: readonly ReplicaPort[];
  readonly desired: "created" | "running" | "stopped";
  readonly policy: ReplicaPolicy;
  readonly limits: ReplicaLimits;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The time of a schedule that it was made for. ISO 8601. */
  readonly scheduledAt?: string;
}

/** A process, so that a later one with its pid is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/<pid>/stat`: clock ticks since boot. */
  readonly startTime: string;
}

/** `shim.json`. */
export interface ShimRecord extends ProcessIdentity {
  readonly run: number;
}

/** `run.json`, written by the shim: the process and its group, which has the same number. */
export interface RunRecord extends ProcessIdentity {
  /** 1, 2, 3 … of this replica. */
  readonly run: number;
  readonly shim: ProcessIdentity;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** `exit.json`, written by the shim. */
export interface ExitRecord {
  readonly run: number;
  readonly code: number | null;
  readonly signal: string | null;
  /** ISO 8601. */
  readonly at: string;
  /** It could not be started: the system's code, e.g. `ENOENT`, and what was missing. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** How a run ended, as the supervisor judged it. `unknown`: its shim had died before. */
export interface RunEnd extends ExitRecord {
  readonly oom: boolean;
  readonly unknown: boolean;
}

/** `state.json`, written by the supervisor at every change. */
export interface ReplicaState {
  /** Number of the current or last run; 0 before the first. */
  readonly run: number;
  /** Starts since it was last asked to run. */
  readonly starts: number;
  /** Runs in a row that ended before they were ready. */
  readonly failedStarts: number;
  /** Starts that nobody asked for, over its life. */
  readonly restarts: number;
  readonly ready: boolean;
  /** Its probes failed too often in this run, before it was ready or after. */
  readonly unhealthy: boolean;
  /** Milliseconds since the epoch. */
  readonly readySince?: number;
  /** Addresses where its ports were found open, by container port. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly lastEnd?: RunEnd;
  /** It was told to stop; SIGKILL follows at `killAt` (milliseconds since the epoch). */
  readonly stopping?: { readonly killAt: number };
}

/** A place where the gateway listens for an instance. */
export interface RouteListener {
  readonly address: string;
  readonly port: number;
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** Requests that it takes, HTTP only, at least one. Absent: all that no other instance takes at this address and port. */
  readonly domains?: readonly DomainSpec[];
}

/** What is routed for an instance. */
export interface RouteSet {
  readonly listeners: readonly RouteListener[];
  /** Replica id → percent; add up to 100, or empty: the listeners answer that nobody is there. */
  readonly targets: Readonly<Record<string, number>>;
}

/** What is known of an instance apart from its release; plain data without secrets. */
export interface InstanceDescription {
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  readonly labels: Labels;
  /** Digest of the image that is settled. */
  readonly image?: string;
  readonly addresses: readonly string[];
  readonly volumes: readonly string[];
  readonly range?: { readonly min: number; readonly max: number };
  readonly observedFields: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** `instance.json`. */
export interface InstanceRecord extends InstanceDescription {
  readonly settled?: SettledRelease;
  readonly stopped: boolean;
  readonly route?: RouteSet;
}
