import type { Readable, Writable } from "node:stream";
import type { Diagnostic } from "../errors/diagnostic.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { PinnedImage } from "../model/image.ts";
import type { InstanceStatus, ObservedInstance, Remains, SettledRelease } from "../model/observed.ts";
import type { Adoption } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { ReplicaCount, ResourceSpec } from "../model/resources.ts";
import type { ServiceSpec, StrategySpec } from "../model/spec.ts";
import type { RolloutJournal } from "../rollout/journal.ts";

export interface ProviderInfo {
  /** Its type, e.g. `docker`. */
  readonly type: string;
  readonly version: string;
  /** One line for tables, e.g. `processes on this machine`. */
  readonly description: string;
  /** Id of the platform behind it: two providers with one id are one platform. */
  readonly platformId: string;
}

/** `PlatformHealth.host` of a platform that publishes on the machine where the engine runs. */
export const thisMachine = "this machine";

/** What `check` may know of a platform. */
export interface PlatformHealth {
  readonly platformId: string;
  readonly version: string;
  /** The plan's first line shows it, e.g. `Docker 26.1, ssh deploy@203.0.113.10`. */
  readonly description: string;
  /**
   * Machine whose addresses host ports are published on, where several platforms may share it: `thisMachine`, or a name that is equal for all of
   * them. A port of it is published once. Default: the platform has addresses of its own.
   */
  readonly host?: string;
  /** Problems with rights, space or clock that stop nothing yet; `doctor` prints them. */
  readonly diagnostics: readonly Diagnostic[];
  /** Facts that the provider's own `check` reads. Plain data. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How others reach a service. */
export interface ServiceAddress {
  /** What `${service:NAME.host}` becomes. */
  readonly host: string;
  /** One for each port of the spec, in its order. `${service:NAME.port}` is the first one's, `.port.9090` that of containerPort 9090. */
  readonly ports: readonly { readonly containerPort: number; readonly port: number; readonly url: string }[];
  /** Addresses for people outside, e.g. `http://127.0.0.1:8080`. */
  readonly published: readonly string[];
}

export interface IdentifyImageRequest {
  readonly instance: InstanceIdentity;
  readonly spec: ServiceSpec;
  /** The image that serves now: a tag that did not change in the declaration keeps this digest. */
  readonly current?: PinnedImage;
  /** Folder for caches of content hashes, absolute. */
  readonly cacheDir: string;
}

export interface BuildImageRequest {
  readonly instance: InstanceIdentity;
  readonly spec: ServiceSpec;
  /** As identified for the plan. Content that is another by now throws `CONFLICT`. */
  readonly image: PinnedImage;
}

export interface RetainRequest {
  readonly instance: InstanceIdentity;
  /** Numbers of the releases that can still be gone back to. None: the instance is gone for good. */
  readonly releases: readonly number[];
  /** It goes on on another platform: with none of its own left here, nothing is said of the rest of its stack. Default false. */
  readonly isElsewhere?: boolean;
}

export interface InstanceRequest {
  readonly instance: InstanceIdentity;
}

/** With what a state file of pctl 1.1 says of the instance; without one both are absent. */
export interface AdoptRequest extends Adoption {
  readonly instance: InstanceIdentity;
}

export interface StartAdoptedRequest extends InstanceRequest {
  /** How long they may take to become ready. */
  readonly timeoutMs: number;
}

export interface ProvisionRequest {
  readonly instance: InstanceIdentity;
  readonly spec: ServiceSpec;
}
export interface ProvisionResult {
  /** Platform names of what exists now, e.g. its volumes. */
  readonly volumes: readonly string[];
}

export interface DeprovisionRequest {
  readonly instance: InstanceIdentity;
  /** Remove its volumes and their data too. Volumes that are external, or named and still used by others, stay always. */
  readonly volumes: boolean;
}

export interface DeployRequest {
  readonly instance: InstanceIdentity;
  /** What to serve. */
  readonly release: Release;
  /** What serves now and must go on serving if this fails. */
  readonly previous?: Release;
  /** Replicas wanted now: the release's own, or a manual scale that is kept. */
  readonly replicas: ReplicaCount;
  /** Replicas of `previous` to go back to. */
  readonly previousReplicas?: ReplicaCount;
  readonly strategy: StrategySpec;
  /** TypeID of the deployment; equal when it is carried on after a crash. */
  readonly deployment: string;
  /** Recorded with what is settled. */
  readonly scaledBy?: SettledRelease["scaledBy"];
  /** Decisions so far, and where new ones are written before their effect. */
  readonly journal: RolloutJournal;
}

export type DeployResult =
  | { readonly state: "serving"; readonly status: InstanceStatus }
  | { readonly state: "completed"; readonly status: InstanceStatus }
  /** A job that the platform runs by its schedule from now on. */
  | { readonly state: "scheduled"; readonly status: InstanceStatus }
  | { readonly state: "paused"; readonly step: number; readonly until?: string; readonly status: InstanceStatus };

/** The request of the deployment that is paused, as it was, with its journal. */
export interface AdvanceRequest extends DeployRequest {
  readonly to: "promote" | "abort";
  /** With `promote`: the further pauses are left out. Default false. */
  readonly full?: boolean;
}

export interface RollbackRequest extends Omit<DeployRequest, "previous" | "previousReplicas"> {
  /** What is left: its replicas go once `release` serves. */
  readonly previous?: Release;
  /** Where `release` is a job without a schedule: when it ended with 0, as far as that is known. ISO 8601. */
  readonly completedAt?: string;
}

export interface ScaleRequest {
  readonly instance: InstanceIdentity;
  /** The release that serves. */
  readonly release: Release;
  readonly replicas?: ReplicaCount;
  readonly resources?: ResourceSpec;
  readonly scaledBy?: SettledRelease["scaledBy"];
  readonly deployment: string;
  readonly journal: RolloutJournal;
}

/** Start and restart need to know what to run. */
export interface ReleaseRequest {
  readonly instance: InstanceIdentity;
  readonly release: Release;
  readonly replicas: ReplicaCount;
  readonly deployment: string;
  readonly journal: RolloutJournal;
  readonly scaledBy?: SettledRelease["scaledBy"];
}

export interface ListSelector {
  readonly stack?: string;
  /** Instances of these names too, whosever they are: so that a plan sees what stands in its way. */
  readonly names?: readonly string[];
  /** Opaque; from the page before. */
  readonly cursor?: string;
  /** Most instances a page; the provider may give fewer. Default: what suits the platform. */
  readonly limit?: number;
  /** See all that can be told of each instance, even by a call for each replica: for `plan --refresh`. Default false. */
  readonly refresh?: boolean;
}
export interface InstancePage {
  readonly instances: readonly ObservedInstance[];
  /** What the stack's removed instances left; on the first page alone. Absent where nothing is left, and where no volumes are kept. */
  readonly remains?: readonly Remains[];
  /** Present where there is more. */
  readonly cursor?: string;
}

export interface ReplicaUsage {
  readonly replica: string;
  /** Thousandths of a core, over the last second or so. */
  readonly cpuMillis: number;
  readonly memoryMb: number;
  readonly limits: ResourceSpec;
}
export interface ResourceUsage {
  readonly at: string;
  readonly replicas: readonly ReplicaUsage[];
}

export interface LogsRequest {
  readonly instance: InstanceIdentity;
  readonly follow: boolean;
  /** ISO 8601. */
  readonly since?: string;
  /** Last lines of each replica. Absent: all. */
  readonly tail?: number;
  /** Name of one replica. */
  readonly replica?: string;
  /** The run before the current one of each replica. */
  readonly previous: boolean;
  /** Only replicas of this deployment, retired and failed ones included. */
  readonly deployment?: string;
}
export interface LogLine {
  /** ISO 8601; absent where the platform does not know it. */
  readonly at?: string;
  readonly replica: string;
  readonly stream: "stdout" | "stderr" | "both";
  /** Without its line end. */
  readonly text: string;
  /** Of a line that the replica did not print, and that says so: what it printed between these times (ISO 8601) cannot be read any more. */
  readonly missed?: { readonly from: string; readonly until: string };
}

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
}
export interface ExecRequest {
  readonly instance: InstanceIdentity;
  /** Name of one replica. Default: the first ready one. */
  readonly replica?: string;
  readonly command: readonly string[];
  /** A terminal is wanted. Where the caller's own terminal can be handed over, `inherit` says that it may be. */
  readonly terminal?: Terminal & { readonly inherit: boolean };
}
/** A command that runs: for `exec` and `run`. */
export interface ExecSession {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The caller's own terminal was handed over: the streams carry nothing, and the caller must leave its input alone until the end. */
  readonly handedOver?: boolean;
  resize(terminal: Terminal): void;
  /** Ends the command. */
  kill(signal: string): void;
  /** Its exit code, 128 + n after signal n; rejects when the connection to it broke. */
  readonly exit: Promise<number>;
}

export interface RunRequest {
  readonly instance: InstanceIdentity;
  readonly release: Release;
  /** Absent: the release's own command. */
  readonly command?: readonly string[];
  readonly terminal?: Terminal & { readonly inherit: boolean };
}
