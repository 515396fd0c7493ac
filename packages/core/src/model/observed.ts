import type { PinnedImage } from "./image.ts";
import type { Labels } from "./labels.ts";
import type { AdoptedLayout } from "./names.ts";
import type { ReplicaCount } from "./resources.ts";
import type { ScheduleStatus } from "./schedule.ts";

export interface ObservedRevision {
  readonly replicaHash: string;
  readonly generation: number;
  /** Replicas that exist, or that the platform means to have. */
  readonly desired: number;
  /** Replicas that passed their gate and still do. */
  readonly ready: number;
  /** Share of the traffic in percent, 0 to 100; for a service without ports 100 where it is the one meant to run. */
  readonly weight: number;
  /** Restarts of its replicas by the platform, summed; absent where the platform does not tell. */
  readonly restarts?: number;
}

export type InstanceState =
  /** The settled release has all its replicas ready. */
  | "serving"
  /** Some are ready. */
  | "degraded"
  /** None is, and some should be. */
  | "down"
  /** Stopped by `stop`, or scaled to 0. */
  | "stopped"
  /** A job that ended with 0. */
  | "completed"
  /** A job that its platform runs by a schedule, and that waits for the next run. */
  | "scheduled"
  /** A job that runs now. Of one without a schedule said by `status`, which knows what was begun. */
  | "running"
  /** A job whose last run did not end with 0, or nobody saw how. Said by `status`, which knows what was begun. */
  | "failed"
  /** A deployment waits at a step. */
  | "paused";

/** True where all is as the settled release wants it. */
export function isAsSettled(state: InstanceState | undefined): boolean {
  return state === "serving" || state === "completed" || state === "scheduled" || state === "running";
}

/** Something of an instance that is another than it was made: somebody changed it behind our back. */
export interface Alteration {
  /** Dotted, as a spec names it where it has a name for it: `image`, `env.DEBUG`, `scale.memory`, `ports`; else a word: `name`, `network`, `gateway`. */
  readonly path: string;
  /** As it is, for people, and of which replica: `busybox:1.36 on shop-web-2`. Never a value of the environment. */
  readonly before: string;
  /** As it was made. */
  readonly after: string;
  /** `missing`: it is gone. */
  readonly cause: "drift" | "missing";
}

/** What was seen of an instance on its platform. */
export interface ObservedInstance {
  /** `{stack}-{service}`. */
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  /** Labels as found; ownership is judged from them. */
  readonly labels: Labels;
  readonly state: InstanceState;
  /** What was last settled (`RevisionDriver.settle`): which release this instance serves when all is well. */
  readonly settled?: SettledRelease;
  readonly revisions: readonly ObservedRevision[];
  /** Jobs that are registered with a schedule. */
  readonly schedule?: ScheduleStatus;
  readonly range?: { readonly min: number; readonly max: number };
  /** Replicas that are meant to run, where the platform holds a range at one count. Absent: `settled.replicas`, of a range its minimum. */
  readonly wanted?: number;
  /** What else was seen to be another than it was made, as far as this page could see. A deploy makes it so again. */
  readonly altered?: readonly Alteration[];
  /** What the provider's own `check` wants to know of it. Plain data; nobody else reads it. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** True after `stop`, until `start` or a deploy. */
  readonly stopped: boolean;
  /** Digest of the image that runs. */
  readonly image?: string;
  /** Where it is published, e.g. `http://127.0.0.1:8080`. */
  readonly addresses: readonly string[];
  /** Names of volumes that exist for it, platform names. */
  readonly volumes: readonly string[];
  /** Dotted names of spec fields that this page could see, e.g. `ports`, `scale.memory`; drift is judged in these alone. */
  readonly observedFields: readonly string[];
  /** Their observed values, in the form that the spec has. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Restarts of current replicas by the platform, summed. */
  readonly restarts: number;
  /** ISO 8601; when the oldest current replica started, or was made where the platform lists no more than that. */
  readonly since?: string;
  /** What runs was made by pctl 1.1, and no release has taken its place yet. */
  readonly isLegacy?: boolean;
  /** How its volumes are laid out, where pctl 1.1 made them. */
  readonly adoptedLayout?: AdoptedLayout;
}

/** Volumes of an instance that was removed without them, and whose data is there still. */
export interface Remains extends Pick<ObservedInstance, "name" | "stack" | "service" | "labels"> {
  /** Platform names; at least one. `deprovision` with `volumes` removes them. */
  readonly volumes: readonly string[];
}

/** The least number of replicas that are meant to run; undefined where nothing was settled. */
export function leastReplicas({ settled, wanted }: Pick<ObservedInstance, "settled" | "wanted">): number | undefined {
  if (settled === undefined) return undefined;
  if (typeof settled.replicas === "number") return settled.replicas;
  return wanted ?? settled.replicas.min;
}

/** Written on the platform when a deployment has been carried out; small and without secrets. */
export interface SettledRelease {
  readonly releaseId: string;
  readonly number: number;
  readonly specHash: string;
  readonly replicaHash: string;
  readonly generation: number;
  readonly deployment: string;
  readonly fingerprint?: string;
  /** Where it was declared by reference: what that means until it is looked up again. */
  readonly image?: PinnedImage;
  /** Replicas asked for: the file's, or a manual scale. */
  readonly replicas: ReplicaCount;
  /** Jobs without a schedule only: when the attempt ended with 0. ISO 8601. */
  readonly completedAt?: string;
  /** Jobs by schedule only: the schedule, as declared. Such a job has no `completedAt`. */
  readonly schedule?: string;
  /** Present where `replicas` is a manual scale and not the file's. */
  readonly scaledBy?: { readonly by: string; readonly at: string; readonly change: number };
}

/** One running copy, as `status` shows it. */
export interface ReplicaStatus {
  /** Name on the platform, e.g. `shop-web-1`. */
  readonly name: string;
  readonly ordinal: number;
  readonly replicaHash: string;
  readonly generation: number;
  readonly state: "starting" | "ready" | "unhealthy" | "draining" | "stopped" | "exited";
  readonly routed: boolean;
  readonly restarts: number;
  readonly startedAt?: string;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

export interface InstanceStatus extends ObservedInstance {
  readonly replicas: readonly ReplicaStatus[];
}
