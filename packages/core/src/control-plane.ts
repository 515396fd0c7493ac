import type { Diagnostic } from "./errors/diagnostic.ts";
import type { Deployments, Releases } from "./deployments.ts";
import type { Instances } from "./instances.ts";
import type { Redactor } from "./errors/redaction.ts";
import type { Actor, Change } from "./model/change.ts";
import type { Event } from "./model/event.ts";
import type { JobRun } from "./model/job-run.ts";
import type { InstanceState, InstanceStatus } from "./model/observed.ts";
import type { Plan, Problem } from "./model/plan.ts";
import type { Release } from "./model/release.ts";
import type { ReplicaCount } from "./model/resources.ts";
import type { ParsedStack, ProviderDeclaration, Stack } from "./model/stack.ts";
import type { Clock, Logger, Sealer } from "./provider/context.ts";
import type { Ledger } from "./provider/ledger.ts";
import type { ProviderRegistry } from "./provider/registry.ts";
import type { Provider } from "./provider/provider.ts";
import type {
  ExecSession,
  LogLine,
  PlatformHealth,
  ProviderInfo,
  ResourceUsage,
  Terminal,
} from "./provider/requests.ts";
import type { StateDocument, StateStore } from "./state/store.ts";

/** A command under way. Handed out once its change is written; `done` resolves when it ended, whatever the outcome, and rejects only where it could not begin. */
export interface Run<T> {
  readonly id: string;
  /** From the first event on, whenever it is read; ends after `result`. Can be read once. */
  readonly events: AsyncIterable<Event>;
  readonly done: Promise<T>;
}

export interface ControlPlaneOptions {
  /** Registered under these names. */
  readonly providers?: Readonly<Record<string, Provider>>;
  /** For services that name none. */
  readonly defaultProvider?: string;
  /** Makes a provider that a stack declares and that is not among `providers`; undefined where the type is unknown. */
  resolveProvider?(declaration: ProviderDeclaration, folder: string): Promise<Provider | undefined>;
  /** Default: in memory. */
  readonly store?: StateStore;
  readonly sealer: Sealer;
  /** Secret values found while loading; everything that leaves the control plane passes it. */
  readonly redactor: Redactor;
  /** Folder for caches of content hashes, absolute. */
  readonly cacheDir: string;
  /** What relative paths of instances are relative to. Default: the working directory. */
  readonly folder?: string;
  readonly actor: Actor;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Called with the name of each call of a provider (`local.list`) and of a ledger (`local.ledger.read`; of one that lies elsewhere `PLATFORM.ledger.read`): for tests, benches and `--debug`. */
  readonly audit?: (call: string) => void;
  /** Where lease and history lie for a platform that has no place for them. Default: in memory. */
  fallbackLedger?(platformId: string): Ledger;
  /** Services of one provider that are changed at a time. Default 8. */
  readonly parallel?: number;
}

export interface PlanOptions {
  /** Only these; what they need is checked, nothing is removed. Unknown names throw `INVALID` with the nearest. */
  readonly services?: readonly string[];
  /** Services whose removal is confirmed although they hold data or are protected. */
  readonly remove?: readonly string[];
  /** With removals: their volumes go too. */
  readonly volumes?: boolean;
  /** Take over what lacks a lineage although no state names it. */
  readonly adopt?: boolean;
  /** Move services with volumes to another provider without their data. */
  readonly leaveVolumes?: boolean;
  /** Look up image tags again. */
  readonly refresh?: boolean;
  readonly signal?: AbortSignal;
}

export interface ChangeOptions {
  readonly message?: string;
  /** First abort: finish the step in hand, release the lease, end as interrupted. */
  readonly signal?: AbortSignal;
  /** Every event, as it comes; also what happens before the run is handed out, such as waiting for a lease. */
  readonly onEvent?: (event: Event) => void;
  /** How long to wait for a lease that others keep renewing. Default: as long as a lease may run. */
  readonly lockWaitMs?: number;
}

export interface DeployOptions extends PlanOptions, ChangeOptions {
  /** Hash of the plan that was reviewed: another one ends with exit code 2, and nothing is changed. */
  readonly expect?: string;
  /** Goes on only while these deployments (`dep_…`) are paused; else throws `CONFLICT`: somebody decided otherwise. */
  readonly ifPaused?: readonly string[];
  /** Where one service fails, all that the change brought up is reverted. A job that completed stays completed. */
  readonly atomic?: boolean;
}

export interface AdvanceOptions extends ChangeOptions {
  /** Past all further pauses. */
  readonly full?: boolean;
}

export interface RollbackOptions extends ChangeOptions {
  /** One service. Absent: the last change is undone, services with volumes excepted unless named. */
  readonly service?: string;
  /** Release number to go to, with `service`. Default: the one before. */
  readonly to?: number;
  /** Undo this change, if it is the last one of which something stands: those after it were taken back already. */
  readonly change?: number;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
}

export interface ServiceStatus {
  readonly service: string;
  /** `inst_…`. */
  readonly instance: string;
  readonly provider: string;
  /** Absent where it does not exist, or cannot be seen. */
  readonly status?: InstanceStatus;
  /** Names of volumes that it left when it was removed; absent where it is there, or left none. */
  readonly remains?: readonly string[];
  /** Of a job: its last run. */
  readonly run?: JobRun;
  /** Why it cannot be seen. */
  readonly unreachable?: string;
  /** Of what cannot be seen: the code of what was thrown, and what to do about it. */
  readonly problem?: Problem;
  /** A deployment that was begun and has not ended. */
  readonly unfinished?: {
    readonly deployment: string;
    readonly change: number;
    readonly to?: number;
    /** It waits at a step; without `until` for a person. ISO 8601. `isWhole`: all that it should have there is ready. */
    readonly pause?: {
      readonly step: number;
      readonly since: string;
      readonly until?: string;
      readonly isWhole: boolean;
    };
  };
  /** Not in the file any more. */
  readonly orphaned: boolean;
}

export interface StackStatus {
  readonly stack: string;
  readonly environment?: string;
  readonly services: readonly ServiceStatus[];
  readonly lastChange?: Change;
  /** Who holds its lease now. */
  readonly lease?: {
    readonly user: string;
    readonly host: string;
    readonly pid: number;
    readonly command: string;
    readonly since: string;
  };
}

export interface StackLogOptions {
  readonly services?: readonly string[];
  readonly follow?: boolean;
  /** ISO 8601. */
  readonly since?: string;
  readonly tail?: number;
  readonly replica?: string;
  readonly previous?: boolean;
  /** All that the replicas of this change printed, failed and retired ones included. */
  readonly change?: number;
  readonly signal?: AbortSignal;
}
export interface StackLogLine extends LogLine {
  readonly service: string;
  readonly provider: string;
  /** True of a line that no replica printed: it says why nothing of the service can be read there. */
  readonly isUnreachable?: boolean;
}

export interface CommandOptions {
  readonly command: readonly string[];
  /** On this one of the service's providers. Default: the first on which a replica is ready. */
  readonly provider?: string;
  readonly replica?: string;
  readonly terminal?: Terminal & { readonly inherit: boolean };
  readonly signal?: AbortSignal;
}

export interface ReleaseSummary {
  readonly service: string;
  readonly provider: string;
  readonly number: number;
  readonly change: number;
  readonly createdAt: string;
  readonly image: string;
  readonly commit?: string;
  /** It is what serves. */
  readonly serving: boolean;
  /** How it stands, of the release that was settled last: it may be stopped, or down. Of a job's also where it runs, or failed. */
  readonly state?: InstanceState;
  /** Of a job's release that was run last. */
  readonly run?: JobRun;
}

/** A change with what it printed. */
export interface ChangeDetail extends Change {
  /** Events of it, as they were given out. */
  readonly events: readonly Event[];
}

export interface ProviderStatus {
  readonly name: string;
  readonly type: string;
  readonly isDefault: boolean;
  readonly info?: ProviderInfo;
  readonly health?: PlatformHealth;
  readonly capabilities: readonly string[];
  /** Where its history lies; `none`: this machine only. */
  readonly history: "platform" | "machine" | "none";
  readonly problem?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** What can be done with the services of a stack. `pctl` is this, with words. */
export interface Stacks {
  /** `check` of every provider over every service, clashes with other stacks, and all that a plan would refuse. Reads only. */
  check(stack: Stack): Promise<readonly Diagnostic[]>;
  /** Reads only. Throws `INVALID` with all diagnostics where the stack cannot be deployed as declared. */
  plan(stack: Stack, options?: PlanOptions): Promise<Plan>;
  deploy(stack: Stack, options?: DeployOptions): Promise<Run<Change>>;
  /** Removes services (default: all), with their volumes only on request; protected ones and those with volumes by `remove` alone. */
  destroy(stack: Stack, options?: PlanOptions & ChangeOptions): Promise<Run<Change>>;
  /**
   * Ends what a process that died had begun, without the declaration: back to the release that served, or forward where there is none; a
   * removal to its end. What is paused stays so.
   */
  recover(stack: Stack, options?: ChangeOptions): Promise<Run<Change>>;
  /** `plan.ready` shows the difference first. */
  rollback(stack: Stack, options?: RollbackOptions): Promise<Run<Change>>;
  scale(stack: Stack, replicas: Readonly<Record<string, ReplicaCount>>, options?: ChangeOptions): Promise<Run<Change>>;
  start(stack: Stack, services: readonly string[], options?: ChangeOptions): Promise<Run<Change>>;
  stop(stack: Stack, services: readonly string[], options?: ChangeOptions): Promise<Run<Change>>;
  restart(stack: Stack, services: readonly string[], options?: ChangeOptions): Promise<Run<Change>>;
  /** Goes on with what is paused at a step, to the next pause or to the end; default: all that is. Throws `CONFLICT` where nothing is. */
  promote(stack: Stack, services?: readonly string[], options?: AdvanceOptions): Promise<Run<Change>>;
  /** Takes back what is paused: the release before it serves alone again. Throws `CONFLICT` where nothing is. */
  abort(stack: Stack, services?: readonly string[], options?: ChangeOptions): Promise<Run<Change>>;
  status(stack: Stack, services?: readonly string[]): Promise<StackStatus>;
  /** By service; by `service@provider` where it runs on several. */
  resources(stack: Stack, services?: readonly string[]): Promise<Readonly<Record<string, ResourceUsage>>>;
  logs(stack: Stack, options?: StackLogOptions): AsyncIterable<StackLogLine>;
  exec(stack: Stack, service: string, options: CommandOptions): Promise<ExecSession>;
  /** A fresh replica of a release (default: the serving one). */
  run(
    stack: Stack,
    service: string,
    options: Omit<CommandOptions, "command"> & { readonly command?: readonly string[]; readonly release?: number },
  ): Promise<ExecSession>;
  /** Newest first. */
  history(stack: Stack, options?: { readonly limit?: number }): Promise<readonly Change[]>;
  change(stack: Stack, number: number): Promise<ChangeDetail>;
  releases(stack: Stack, services?: readonly string[]): Promise<readonly ReleaseSummary[]>;
  release(stack: Stack, service: string, number: number): Promise<Release>;
  providers(stack: Stack): Promise<readonly ProviderStatus[]>;
  state: {
    show(stack: Stack): Promise<StateDocument | undefined>;
    /** From labels and ledgers, whatever the file says. Returns what was written. */
    rebuild(stack: Stack): Promise<StateDocument>;
    /** Takes the lease away from its holder; returns who it was. */
    unlock(stack: Stack): Promise<StackStatus["lease"]>;
  };
}

export interface ControlPlane {
  readonly registry: ProviderRegistry;
  readonly stacks: Stacks;
  readonly instances: Instances;
  readonly deployments: Deployments;
  readonly releases: Releases;
  /** Ends what a process that died had begun, in every stack of the store: to be called when a program starts. One run for each stack. */
  recover(options?: ChangeOptions): Promise<readonly Run<Change>[]>;
  close(): Promise<void>;
}

export type { ParsedStack };
