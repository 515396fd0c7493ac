import type { Diagnostic } from "../errors/diagnostic.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { PinnedImage } from "../model/image.ts";
import type { ObservedInstance, Remains } from "../model/observed.ts";
import type { Release, Revision } from "../model/release.ts";
import type { ServiceSpec } from "../model/spec.ts";
import type { Plan } from "../model/plan.ts";
import type { StateEntry } from "../state/store.ts";
import type { Unreachable } from "./out-of-reach.ts";

/** What is wanted of one instance: everything that can be known without writing. */
export interface DesiredInstance {
  readonly instance: InstanceIdentity;
  readonly spec: ServiceSpec;
  readonly image: PinnedImage;
  readonly revision: Revision;
  readonly specHash: string;
  readonly fingerprint?: string;
  /** Host addresses that it publishes, `0.0.0.0:8080`. */
  readonly publishes: readonly string[];
  /** Where people reach it, `http://127.0.0.1:8080`. */
  readonly addresses: readonly string[];
  /** Platform names of the volumes that it will have. */
  readonly volumes: readonly string[];
  /** Services that must serve before this one is begun: `needs`, and what it is wired to. */
  readonly needs: readonly string[];
  /** What `check` wants the reader to know: a replaced `env.PORT`, a field that is ignored by the user's word. */
  readonly notes: readonly string[];
}

/** A step that a deployment waits at. ISO 8601; without `until` it waits for a person. */
export interface DeploymentPause {
  readonly step: number;
  readonly since: string;
  readonly until?: string;
  /** Restarts of the new revision's replicas before it. */
  readonly restarts?: number;
}

/** A deployment that was begun and has not ended, as far as a plan needs it. */
export interface UnfinishedDeployment {
  readonly service: string;
  readonly deployment: string;
  readonly change: number;
  /** Absent for a first deployment. */
  readonly from?: number;
  /** Absent for a removal. */
  readonly to?: number;
  readonly isReverting: boolean;
  /** What it brings is a job. */
  readonly isJob?: boolean;
  /** By blue_green or canary, and begun: it can be promoted or aborted. */
  readonly isStaged?: boolean;
  /** It has reached a step, and its pause was not ended by anybody; `until` may be past. */
  readonly pause?: DeploymentPause;
}

/** All that is known of an instance besides what is wanted: three sources, never mixed. */
export interface KnownInstance {
  readonly instance: InstanceIdentity;
  /** On the platform. */
  readonly observed?: ObservedInstance;
  /** On the platform, whosever it is, where the instance itself is not there. */
  readonly remains?: Remains;
  /** In the state document. */
  readonly entry?: StateEntry;
  /** In the ledger. */
  readonly unfinished?: UnfinishedDeployment;
  /** Numbers of its releases in the ledger, ascending. */
  readonly releases: readonly number[];
  /** The settled release; read only where it is needed to tell what differs. */
  readonly served?: Release;
  /** True where it serves by what the platform says, and the ledger there has no release of that number. */
  readonly isUnrecorded?: boolean;
  /** True where the key did not open `served`: its environment and secret values are masked, and cannot be compared. */
  readonly isServedMasked?: boolean;
  /** `specHash` of the release that an unfinished deployment brings. */
  readonly unfinishedSpecHash?: string;
  /** Set where the wanted source was rolled back: number of that release and of the change that took it back. */
  readonly rolledBack?: { readonly release: number; readonly change: number };
}

export interface PlanInput {
  readonly stack: string;
  readonly environment?: string;
  readonly lineage: string;
  readonly desired: readonly DesiredInstance[];
  /** By `actionKey`. Has every desired instance that a platform could be asked about, and every one that only exists. */
  readonly known: ReadonlyMap<string, KnownInstance>;
  /** Names of providers that cannot be reached, and why. */
  readonly unreachable: ReadonlyMap<string, Unreachable>;
  readonly platforms: Plan["platforms"];
  /** By provider name: the machine on which it publishes host ports. Absent: its platform has addresses of its own. */
  readonly hosts: ReadonlyMap<string, string>;
  readonly continues?: Plan["continues"];
  readonly diagnostics: readonly Diagnostic[];
  /** `nothing`: destroy, of the selection or of all. */
  readonly goal: "declared" | "nothing";
  /** What each declared service needs. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** Only these services; with the goal `declared` nothing is removed then. */
  readonly selection?: ReadonlySet<string>;
  readonly remove: ReadonlySet<string>;
  readonly withVolumes: boolean;
  readonly adopt: boolean;
  readonly leaveVolumes: boolean;
  /** All that is brought up succeeds, or all of it is reverted. */
  readonly atomic: boolean;
  /** Milliseconds since the epoch: a pause may be over. */
  readonly now: number;
}

/** `{service}@{provider}`: one instance within a stack. */
export function actionKey(instance: Pick<InstanceIdentity, "service" | "provider">): string {
  return `${instance.service}@${instance.provider}`;
}
