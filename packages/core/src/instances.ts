import type { Change } from "./model/change.ts";
import type { Event } from "./model/event.ts";
import type { InstanceStatus } from "./model/observed.ts";
import type { ReplicaCount } from "./model/resources.ts";
import type { ExecSession, LogLine, ResourceUsage } from "./provider/requests.ts";
import type { ChangeOptions, CommandOptions, ReleaseSummary, Run, StackLogOptions } from "./control-plane.ts";

/** A service on a provider, as a program sees it that deploys services one by one. */
export interface Instance {
  /** `inst_…`. */
  readonly id: string;
  readonly stack: string;
  readonly service: string;
  readonly provider: string;
  readonly tenant?: string;
  /** Absent where nothing of it exists any more, or its platform cannot be reached. */
  readonly status?: InstanceStatus;
  /** What a run that resolved with this came to; absent where it comes from `get` or `list`. */
  readonly change?: Change;
}

export interface CreateInstance {
  readonly tenant?: string;
  /** Default: a stack of its own, so that many instances are not one lease. */
  readonly stack?: string;
  /** Default: the control plane's. */
  readonly provider?: string;
  /** The name of the service. Default `main`. */
  readonly name?: string;
  /** The fields of a service in `pctl.yaml`, as plain data: `{ image: "./web", command: ["node", "server.js"], ports: [8080] }`. */
  readonly service: Readonly<Record<string, unknown>>;
  /** Folder that relative paths in `service` are relative to. Default: the working directory. */
  readonly folder?: string;
  /** Two calls with one key mean one instance. */
  readonly idempotencyKey?: string;
}

/**
 * Services one by one. All of it stands on `Stacks`: one code path. Every method throws `NOT_FOUND` for an unknown id. A run resolves with
 * the instance as it is afterwards, also where its change failed.
 */
export interface Instances {
  create(request: CreateInstance, options?: ChangeOptions): Promise<Run<Instance>>;
  get(id: string): Promise<Instance>;
  /** From the store. */
  list(selector?: { readonly tenant?: string; readonly stack?: string }): Promise<readonly Instance[]>;
  /** Another declaration of it. */
  deploy(
    id: string,
    service: Readonly<Record<string, unknown>>,
    options?: ChangeOptions & { readonly folder?: string },
  ): Promise<Run<Instance>>;
  scale(id: string, replicas: ReplicaCount, options?: ChangeOptions): Promise<Run<Instance>>;
  start(id: string, options?: ChangeOptions): Promise<Run<Instance>>;
  stop(id: string, options?: ChangeOptions): Promise<Run<Instance>>;
  restart(id: string, options?: ChangeOptions): Promise<Run<Instance>>;
  rollback(id: string, options?: ChangeOptions & { readonly to?: number }): Promise<Run<Instance>>;
  resources(id: string): Promise<ResourceUsage>;
  /** Its volumes stay unless `volumes` says so. */
  destroy(id: string, options?: ChangeOptions & { readonly volumes?: boolean }): Promise<Run<Instance>>;
  logs(id: string, options?: Omit<StackLogOptions, "services">): AsyncIterable<LogLine>;
  exec(id: string, options: CommandOptions): Promise<ExecSession>;
  releases(id: string): Promise<readonly ReleaseSummary[]>;
  /** Changes of its stack, newest first. */
  history(id: string): Promise<readonly Change[]>;
  /** Events of one change, from the ledger. */
  events(id: string, change: number): Promise<readonly Event[]>;
}
