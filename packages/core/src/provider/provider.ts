import type { Diagnostic } from "../errors/diagnostic.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { PinnedImage } from "../model/image.ts";
import type { InstanceStatus, ObservedInstance } from "../model/observed.ts";
import type { ServiceSpec } from "../model/spec.ts";
import type { Capability } from "./capability.ts";
import type { ProviderContext } from "./context.ts";
import type { Ledger } from "./ledger.ts";
import type {
  AdoptRequest,
  AdvanceRequest,
  BuildImageRequest,
  DeployRequest,
  DeployResult,
  DeprovisionRequest,
  ExecRequest,
  ExecSession,
  IdentifyImageRequest,
  InstancePage,
  InstanceRequest,
  ListSelector,
  LogLine,
  LogsRequest,
  PlatformHealth,
  ProviderInfo,
  ProvisionRequest,
  ProvisionResult,
  ReleaseRequest,
  ResourceUsage,
  RetainRequest,
  RollbackRequest,
  RunRequest,
  ScaleRequest,
  ServiceAddress,
  StartAdoptedRequest,
} from "./requests.ts";

/**
 * One platform, as the engine sees it. The promise, for every method:
 *
 * - It may be called again after a crash at any point, and then finishes: observe, ensure, sync, return what was seen.
 * - It returns when its effect is true, or throws a `CtrlPlaneError`; foreign errors are mapped in one file of the provider.
 * - It writes only what carries our labels (`instanceLabels`); what lacks them, or has another lineage, throws `CONFLICT`
 *   and is never touched.
 * - It obeys `context.signal` and `context.fence`.
 * - A method whose capability is not declared throws `UNSUPPORTED` before any request (`defineProvider` sees to it).
 */
export interface Provider {
  /** Its type, e.g. `docker`; the same for all instances of it. */
  readonly type: string;
  /** Pure, and constant for one provider. */
  capabilities(): readonly Capability[];
  /** What it is and which platform is behind it. Reads at most once; throws `UNAVAILABLE` where the platform cannot be reached. */
  info(context: ProviderContext): Promise<ProviderInfo>;
  /** Can we reach the platform, which version, with which rights? Reads only. Throws `UNAVAILABLE`, `UNAUTHORIZED`, `FORBIDDEN`. */
  health(context: ProviderContext): Promise<PlatformHealth>;
  /**
   * What this platform cannot do of a spec, combinations included, with `field` in each diagnostic (`ports[0].protocol`).
   * Pure. A field that it would ignore is an error, unless `spec.accept` names it, then a warning. `instance`: whose spec it
   * is, so that what others hold on the platform (a host port) can be told from what its own stack holds, which the
   * plan hands on within one change. `observed`: what serves until now, where something does, for what the way from there to `spec` costs
   * (a gap in which nobody answers): a warning, in the plan.
   */
  check(
    spec: ServiceSpec,
    platform: PlatformHealth,
    instance: InstanceIdentity,
    observed?: ObservedInstance,
  ): readonly Diagnostic[];
  /** How others reach this service; known before it exists. Pure: no I/O, the same answer for the same input. */
  address(instance: InstanceIdentity, spec: ServiceSpec): ServiceAddress;
  /**
   * What of a spec, besides what every platform puts into a replica (`Revision`), a running one cannot change here: a container keeps
   * the ports that it was made with. Where it changes, replicas are replaced. Pure. Absent: nothing.
   */
  fixed?(spec: ServiceSpec): Readonly<Record<string, unknown>>;

  /** Pins what `spec.image` means now: content hash or digest. Writes nothing but the cache. `INVALID` where there is no such image. */
  identifyImage(request: IdentifyImageRequest, context: ProviderContext): Promise<PinnedImage>;
  /** The platform has the image: built, pushed, pulled or copied. Instant when it has it already. */
  buildImage(request: BuildImageRequest, context: ProviderContext): Promise<PinnedImage>;

  /**
   * Only these releases of the instance are on record from now on: what was kept for others alone (their images) may go, but nothing that another
   * instance needs, of whatever stack. Called after a change that let releases go, and with none once an instance was destroyed. Where it
   * fails the change stands, and a warning is told. Absent: nothing is kept, or the platform sees to it.
   */
  retain?(request: RetainRequest, context: ProviderContext): Promise<void>;

  /**
   * What pctl 1.1 made under the instance's name (the seed's three labels and no lineage), with its data, is the instance's own from
   * now on. Nothing of it changes by that. Called before `provision` and `deprovision`, where a state file of 1.1 or the user names
   * the instance. The next `deploy` replaces it, or lets it serve again where the release fails. Nothing there is success. Absent: 1.1
   * made nothing on this platform.
   */
  adopt?(request: AdoptRequest, context: ProviderContext): Promise<void>;
  /**
   * What was adopted, and no release has replaced yet, runs: the same replicas, as pctl 1.1 made them, those too that were stopped before. `stop` ends
   * them, without replacing them either. Throws `FAILED` where one does not come up or is gone; those that came up run on. Absent where `adopt` is.
   */
  startAdopted?(request: StartAdoptedRequest, context: ProviderContext): Promise<InstanceStatus>;
  /** What outlives a release exists: namespace, network, volumes. Runs nothing. Capability `provision`. */
  provision(request: ProvisionRequest, context: ProviderContext): Promise<ProvisionResult>;
  /**
   * Nothing of the instance is left but its volumes, unless they are to go as well: then also those that it left when it was removed
   * before. Absent is success. Capability `provision`.
   */
  deprovision(request: DeprovisionRequest, context: ProviderContext): Promise<void>;

  /**
   * The release serves, by its strategy, and nothing else of the instance runs; or throws `FAILED` with a verdict, or what the platform
   * refused with its own code, after `previous` serves again (`failure.reverted`), unless the strategy says hold. Whatever state it finds, it ends there: half a
   * deployment, several revisions, none. With blue_green and canary also `paused`: the step is reached, the pause is in the journal,
   * and the old release's replicas all run. Called again with that journal it stays paused, or goes on once `until` is past; where
   * a replica of the new release ended meanwhile, it fails. Capability `deploy`.
   */
  deploy(request: DeployRequest, context: ProviderContext): Promise<DeployResult>;
  /**
   * Goes on with what `deploy` left paused, to the next pause or to the end; or takes it back: `serving` then means that `previous`
   * serves. The decision is in the journal before anything happens. Called again after a crash it finishes what was decided
   * and decides nothing more; what is not paused any more just goes on. Capability `canary` or `blue_green`.
   */
  advance(request: AdvanceRequest, context: ProviderContext): Promise<DeployResult>;
  /** As `deploy`, of a release that served before. Runs no job. Capability `deploy`. */
  rollback(request: RollbackRequest, context: ProviderContext): Promise<DeployResult>;
  /** The serving release has this many replicas, or these resources. Capability `scale`. */
  scale(request: ScaleRequest, context: ProviderContext): Promise<InstanceStatus>;
  /** What `stop` ended serves again. Capability `deploy`. */
  start(request: ReleaseRequest, context: ProviderContext): Promise<InstanceStatus>;
  /** Nothing of it runs, and all else stays, so that `start` brings it back. Capability `deploy`. */
  stop(
    request: InstanceRequest & { readonly signal?: string; readonly graceMs: number; readonly drainMs: number },
    context: ProviderContext,
  ): Promise<InstanceStatus>;
  /** Every replica is a new one of the same release, replaced by its strategy. Capability `deploy`. */
  restart(request: ReleaseRequest, context: ProviderContext): Promise<InstanceStatus>;
  /** Throws `NOT_FOUND` where nothing of it exists. */
  status(request: InstanceRequest, context: ProviderContext): Promise<InstanceStatus>;
  /** Every instance with our labels, a page at a time, with all that a plan needs; no call per instance. */
  list(selector: ListSelector, context: ProviderContext): Promise<InstancePage>;
  resources(request: InstanceRequest, context: ProviderContext): Promise<ResourceUsage>;
  /** Ends when all was read, or with `follow` when the signal aborts. Capability `logs`. */
  logs(request: LogsRequest, context: ProviderContext): AsyncIterable<LogLine>;
  /** Capability `exec`. */
  exec(request: ExecRequest, context: ProviderContext): Promise<ExecSession>;
  /** A fresh replica of a release without route, which is gone when its command ends. Capability `deploy`. */
  run(request: RunRequest, context: ProviderContext): Promise<ExecSession>;

  /** Absent: lease, intents and history of its stacks lie on this machine only. */
  readonly ledger?: Ledger;
  /** Closes connections. Nothing that it deployed ends. */
  close(): Promise<void>;
}

/** What a provider package exports under the name `provider`: how to make one from the options in `pctl.yaml`. */
export interface ProviderFactory {
  readonly type: string;
  readonly aliases?: readonly string[];
  /** Problems with `options`, with `field` relative to them (`options.dir`). Pure. */
  checkOptions(options: Readonly<Record<string, unknown>>): readonly Diagnostic[];
  /** Does no I/O on the platform yet. */
  create(options: Readonly<Record<string, unknown>>, environment: ProviderEnvironment): Provider;
}

export interface ProviderEnvironment {
  /** The user's name for this provider. */
  readonly name: string;
  /** Folder of the configuration file, absolute: relative paths in options are relative to it. */
  readonly folder: string;
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
