import type { PortSpec, ScaleSpec } from "./resources.ts";

/** What the user wrote under `image` or `build`, before anything was looked up. */
export type ImageSpec =
  /** A folder or a file; `path` is absolute, `declared` as written. What it means is the provider's: build context, Dockerfile, files to run. */
  | { readonly kind: "path"; readonly path: string; readonly declared: string }
  | { readonly kind: "reference"; readonly reference: string }
  | { readonly kind: "build"; readonly build: BuildSpec };

export interface BuildSpec {
  /** Absolute. */
  readonly context: string;
  /** Absolute. Default: `Dockerfile` in the context. */
  readonly dockerfile?: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly secrets: readonly string[];
  readonly platform?: string;
}

export interface RegistrySpec {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** `shell`: the text as the user wrote it; what runs it is the platform's. `args`: an argument list. */
export type CommandSpec = { readonly shell: string } | { readonly args: readonly string[] };

export interface FileMount {
  /** Path in the replica. */
  readonly path: string;
  /** Absolute path of the source. */
  readonly source: string;
  /** Hex SHA-256 of the bytes. */
  readonly digest: string;
  /** Its owner may execute the source: so may whoever the replica runs as. Absent where nobody may. */
  readonly executable?: true;
  readonly contentBase64: string;
}

export interface DomainSpec {
  readonly host: string;
  /** Default `/`. */
  readonly path: string;
}

export type TlsSpec = { readonly email?: string } | { readonly cert: string; readonly key: string };

export interface HealthSpec {
  readonly probe:
    | { readonly kind: "http"; readonly path: string; readonly port?: number }
    | { readonly kind: "tcp"; readonly port?: number }
    | { readonly kind: "command"; readonly command: CommandSpec };
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive failures that make a replica unhealthy. */
  readonly retries: number;
  /** How long after its start failures do not count. */
  readonly graceMs: number;
  /** `declared` is false where this is 1.1's default and not the user's word. */
  readonly onFailure: { readonly action: "restart" | "stop"; readonly declared: boolean };
}

export interface VolumeSpec {
  /** Mount path as written. */
  readonly path: string;
  /** Named volumes are `{stack}-{name}`, shared by replicas and services; unnamed ones belong to one replica. */
  readonly name?: string;
  readonly sizeMb?: number;
  /** An existing volume of this name is mounted, and never removed. */
  readonly external?: string;
  /** A folder of the host is mounted. */
  readonly host?: string;
  readonly readOnly: boolean;
}

export type NeedCondition = "healthy" | "completed";

/** Number of replicas at a time: a count, or a share of all in percent, rounded up. */
export type Batch = { readonly count: number } | { readonly percent: number };

export type StrategyName = "recreate" | "rolling" | "blue_green" | "canary";

export interface StrategySpec {
  readonly type: StrategyName;
  /** False where it was chosen by the rules (rolling with ports and without volumes or UDP, else recreate). */
  readonly declared: boolean;
  /** How many replicas are replaced at a time. */
  readonly batch: Batch;
  /** Canary: weights in percent, one a step. */
  readonly steps: readonly number[];
  /** Canary: time to wait at each step, or for a person. */
  readonly pause: { readonly ms: number } | "manual";
  /** How long a batch may take to become ready. */
  readonly timeoutMs: number;
  /** How long open connections of a retired replica may last. */
  readonly drainMs: number;
  readonly onFailure: "revert" | "hold";
}

export interface StopSpec {
  /** e.g. `SIGINT`. Absent: the image's own where the platform has images (`STOPSIGNAL`), else `SIGTERM`. */
  readonly signal?: string;
  /** Time between the signal and SIGKILL. */
  readonly graceMs: number;
}

/**
 * One service as it is wanted: complete, resolved and wired, no expression left and every default filled in. Plain data:
 * it goes through JSON and comes back equal. Paths of the machine stand only in `image`, `files[].source`; neither counts
 * for a hash.
 */
export interface ServiceSpec {
  readonly service: string;
  readonly kind: "service" | "job";
  readonly image: ImageSpec;
  readonly registry?: RegistrySpec;
  /** Replaces the image's entrypoint; `[]` removes it. */
  readonly entrypoint?: readonly string[];
  readonly command?: CommandSpec;
  readonly env: Readonly<Record<string, string>>;
  /** Names in `env` whose value came, wholly or in part, from a secret resolver. */
  readonly secretEnv: readonly string[];
  readonly files: readonly FileMount[];
  readonly scale: ScaleSpec;
  readonly ports: readonly PortSpec[];
  readonly domains: readonly DomainSpec[];
  readonly tls?: TlsSpec;
  readonly health?: HealthSpec;
  readonly volumes: readonly VolumeSpec[];
  readonly needs: Readonly<Record<string, NeedCondition>>;
  readonly strategy: StrategySpec;
  readonly stop: StopSpec;
  readonly protect: boolean;
  readonly formerly?: string;
  /** Jobs only. */
  readonly job?: {
    readonly schedule?: string;
    readonly timezone?: string;
    readonly overlap?: "skip" | "allow";
    /** An attempt whose outcome nobody knows is repeated. */
    readonly retry: boolean;
    /** How long an attempt may take. Absent: as long as it needs. */
    readonly timeoutMs?: number;
  };
  /** Releases kept. */
  readonly keep: number;
  /** Fields that this provider may ignore, by the user's own word (`accept`). */
  readonly accept: readonly string[];
  /** Options of the seed's form `provider: { name, options }`, for this service alone. */
  readonly providerOptions?: Readonly<Record<string, unknown>>;
}
