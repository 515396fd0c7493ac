/** The parts of the engine's answers that are read here, as its API description (1.41) has them. */

/** One of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  /** As it was asked for; its id where that means another image by now. */
  readonly Image: string;
  readonly ImageID: string;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly State: ContainerStatus;
  /** For people: `Up 5 minutes (healthy)`, `Exited (137) 3 minutes ago`. */
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Ports: readonly PublishedPort[];
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string }[];
  readonly NetworkSettings?: {
    readonly Networks: Readonly<Record<string, { readonly NetworkID: string }>> | null;
  };
}

export interface PublishedPort {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** `GET /containers/{id}/json`. */
export interface ContainerDetails {
  readonly Id: string;
  /** With a leading slash. */
  readonly Name: string;
  /** RFC 3339. */
  readonly Created: string;
  /** `sha256:…` of the image's configuration. */
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: ContainerStatus;
    readonly Running: boolean;
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Health?: {
      readonly Status: "none" | "starting" | "healthy" | "unhealthy";
      readonly FailingStreak: number;
      readonly Log: readonly { readonly ExitCode: number; readonly Output: string; readonly End: string }[] | null;
    };
  };
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>> | null;
    readonly Env: readonly string[] | null;
    readonly Cmd: readonly string[] | null;
    readonly Entrypoint: readonly string[] | null;
    readonly Image: string;
    readonly Tty: boolean;
    readonly StopSignal?: string;
    readonly Healthcheck?: { readonly Test?: readonly string[]; readonly Interval?: number };
  };
  readonly HostConfig: {
    readonly NanoCpus: number;
    readonly Memory: number;
    readonly RestartPolicy: { readonly Name: string };
    readonly PortBindings: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>
    > | null;
  };
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Destination: string }[];
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<
        string,
        { readonly IPAddress: string; readonly NetworkID: string; readonly Aliases?: readonly string[] | null }
      >
    > | null;
  };
}
