import type { Labels, Provider, ResourceSpec, ServiceSpec } from "@ctrlplane/core/provider";

/**
 * What the author of a provider brings: how to make one, what to run on it, eyes to look at the platform behind its back, and
 * hands to break things there. Eyes and hands must not use the provider.
 */
export interface Harness {
  /** The provider's name in reports, e.g. `docker`. */
  readonly name: string;
  /** What stands behind the provider in this run, for the report: `Docker Engine 26.1`, `a simulated platform`. */
  readonly provenBy: string;
  /** Behaviours that run at a time. Default 8. */
  readonly parallel?: number;

  /** A provider on the platform. Called often: all that it makes are on one platform, and know nothing of each other. */
  connect(): Provider;
  /** A provider whose platform is not there: a closed port, a folder that cannot be. */
  unreachable(): Provider;

  /**
   * The part of a spec that runs such a program: `image`, and what else it takes (`command`, `ports`). `hostPort` is free, and the
   * same for all releases of one service; for what publishes no port it is of no use. Undefined: the platform runs no such program.
   */
  program(program: Program, hostPort: number): (Partial<ServiceSpec> & Pick<ServiceSpec, "image">) | undefined;
  /** Where such a program can have a volume, e.g. `/data`. Default: `data`, in its working folder. */
  readonly mountPath?: string;
  /** Words for `exec` and `run` in such a program. */
  readonly commands: Commands;

  /** Who answers at an address that `address` or `status` gave. One request, no retry; undefined where nobody does. */
  ask(url: string): Promise<Answer | undefined>;
  /** What the platform has under an instance's name, whosever it is; undefined where there is nothing. */
  look(name: string): Promise<SeenInstance | undefined>;
  /** Texts of which a new one appears with each change of anything of this stack, apart from its ledger. */
  writes(stack: string): Promise<readonly string[]>;
  /** What was written into a volume by `writeVolume`: `""` for nothing, undefined where there is no such volume. */
  readVolume(name: string): Promise<string | undefined>;

  /** Makes the volume if it is not there, with no label of ours, and keeps a text in it. */
  writeVolume(name: string, text: string): Promise<void>;
  /** The replica's process ends at once, as by `kill -9`. */
  kill(replica: SeenReplica): Promise<void>;
  /** Somebody removed the replica by hand. */
  remove(replica: SeenReplica): Promise<void>;
  /** The replica prints this line on its standard output. */
  say(replica: SeenReplica, line: string): Promise<void>;
  /** Everything under this name has these labels, and no others. */
  relabel(name: string, labels: Labels): Promise<void>;

  /** Nothing is left of all that was made. */
  close(): Promise<void>;
}

/** A program to run. Each begins by printing a line that contains its version. */
export type Program =
  /** Answers at its port (`Answer`), from `readyMs` (default 0) after its start; `diesMs` after that it ends with 1. */
  | { readonly kind: "serves"; readonly version: string; readonly readyMs?: number; readonly diesMs?: number }
  /** Ends by itself, `afterMs` (default 0) after its start. */
  | { readonly kind: "ends"; readonly version: string; readonly exitCode: number; readonly afterMs?: number }
  /** Runs, and never opens its port. */
  | { readonly kind: "deaf"; readonly version: string }
  /** Opens its port, and answers `GET /health` with 503; all other programs answer it with 200. */
  | { readonly kind: "ill"; readonly version: string }
  /** There is no such image, or no such command in it. */
  | { readonly kind: "missing"; readonly version: string };

export interface Commands {
  /** Prints the text and a line end. */
  readonly print: (text: string) => readonly string[];
  /** Ends with this code. */
  readonly exit: (code: number) => readonly string[];
  /** Prints the value of an environment variable and a line end. */
  readonly variable: (name: string) => readonly string[];
  /** Copies its input to its output until the input ends. */
  readonly copy: readonly string[];
}

/** What a program answers: what it knows of itself. */
export interface Answer {
  readonly version: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SeenInstance {
  /** Of the instance's own object; where the platform has none, those that all its replicas have. */
  readonly labels: Labels;
  /** Replicas that exist, running or not. */
  readonly replicas: readonly SeenReplica[];
}

export interface SeenReplica {
  /** The platform's own: another one for every replica that is made. */
  readonly id: string;
  readonly name: string;
  readonly labels: Labels;
  /** Version of the program in it. */
  readonly version: string;
  readonly isRunning: boolean;
  /** Starts of its program so far. */
  readonly starts: number;
  /** Limits as the platform enforces them. */
  readonly limits: Pick<ResourceSpec, "cpuMillis" | "memoryMb">;
}
