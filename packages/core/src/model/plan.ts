import type { ErrorCode } from "../errors/codes.ts";
import type { Diagnostic } from "../errors/diagnostic.ts";
import type { InstanceIdentity } from "./identity.ts";
import type { PinnedImage } from "./image.ts";
import type { StrategyName } from "./spec.ts";

/** Why something is to change. */
export type Cause =
  /** Not there yet, and nothing says it ever was. */
  | "new"
  /** The declaration is another than the one that serves. */
  | "configuration"
  /** The files behind the image are others. */
  | "source"
  /** The platform runs something else than what was settled there. */
  | "drift"
  /** Recorded, and gone from the platform. */
  | "missing"
  /** Something of this name is there that is not ours. */
  | "foreign"
  /** An operator's `scale` or `stop` that the file takes back. */
  | "override"
  /** An earlier change did not finish. */
  | "recovery"
  /** Left the file. */
  | "removed"
  /** Declared for another provider than where it runs. */
  | "moved"
  /** Made by pctl 1.1, and taken over by the user's word. */
  | "adopted";

/** One difference. Values are texts for people, masked where they are environment or secret. */
export interface FieldChange {
  /** Dotted path in the service, e.g. `env.DEBUG`, `scale.replicas`, `image`. */
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
  readonly cause: Cause;
}

export type ActionKind =
  /** A first release. */
  | "create"
  /** A new release that replaces replicas. */
  | "update"
  /** A new release, or a correction, that replaces no replica: routes, scale, health, strategy. */
  | "configure"
  | "keep"
  /** Finish the deployment that was begun: the same target is still wanted. */
  | "resume"
  /** Finish or begin the way back to the release before, then judge again. */
  | "revert"
  | "remove"
  /** Would be removed, and is not, because it holds data or is protected and nobody named it. */
  | "hold"
  /** The target is deployed, and waits at a step: nothing is done until it is promoted, aborted, or its time is over. */
  | "pause"
  /** Cannot be judged: its platform is unreachable. */
  | "unreachable";

/** What a state file of pctl 1.1 says of an instance that is taken over. */
export interface Adoption {
  /** How many replicas it ran. */
  readonly replicas?: number;
  /** The image that it built for it: of no use once its replicas are gone. */
  readonly builtImage?: string;
}

/** What is to be done with one instance; the node of the plan's graph. */
export interface PlanAction {
  /** `{service}@{provider}`: unique in a plan. */
  readonly key: string;
  readonly kind: ActionKind;
  readonly instance: InstanceIdentity;
  readonly causes: readonly Cause[];
  readonly changes: readonly FieldChange[];
  /** Keys of actions whose success this one waits for. */
  readonly after: readonly string[];
  /** True where an action in `after` gates it only by order (removals), not by success of a dependency. */
  readonly image?: PinnedImage;
  readonly specHash?: string;
  readonly strategy?: StrategyName;
  /** Present for `update`, `configure`, `resume`, `revert`: number of the release that serves or served. */
  readonly from?: number;
  /** Actions of one group succeed or are reverted together. Absent: it stands alone. */
  readonly group?: string;
  /** Keys of removals: these stop right before this one takes their host addresses, serve again where it fails, and go once it serves. */
  readonly takesOver?: readonly string[];
  /** Number that the new release will have. */
  readonly release?: number;
  /** What pctl 1.1 made under this name is taken over first. Absent: nothing is. */
  readonly adopts?: Adoption;
  /** Names of volumes that will be made, or with `remove` those that stay. */
  readonly volumes: readonly string[];
  /** Host addresses that this publishes, e.g. `0.0.0.0:8080`. */
  readonly publishes: readonly string[];
  /** What a reader should know, one sentence each: chosen strategy, replaced `env.PORT`, reverted manual scale. */
  readonly notes: readonly string[];
  /** The line in the plan after sign and name, e.g. `image ./web, 2 replicas, http://127.0.0.1:8080`. */
  readonly summary: string;
  /** Of `unreachable`: what was thrown, and what to do about it. */
  readonly problem?: Problem;
}

/** Why a platform cannot be reached; the words are the action's summary. */
export interface Problem {
  readonly code: ErrorCode;
  readonly hint?: string;
}

export interface Plan {
  readonly v: 1;
  readonly stack: string;
  readonly environment?: string;
  /** Over everything that apply would do; equal hashes mean equal plans. `deploy --expect` takes it. */
  readonly hash: string;
  readonly actions: readonly PlanAction[];
  /** Warnings, and what `check` says. */
  readonly diagnostics: readonly Diagnostic[];
  /** The last change of this stack on its platforms. */
  readonly continues?: { readonly change: number; readonly at: string; readonly by: string };
  /** One line per provider: name, and what `health` said of its platform. */
  readonly platforms: readonly {
    readonly provider: string;
    readonly platformId: string;
    readonly description: string;
    readonly reachable: boolean;
  }[];
}

/** True where applying it would change something. */
export function isPending(plan: Plan): boolean {
  return plan.actions.some((action) => action.kind !== "keep");
}
