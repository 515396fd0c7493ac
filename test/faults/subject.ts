import type { Provider } from "@ctrlplane/core";
import type { Site } from "./plane.ts";
import type { FaultKind, Tap } from "./tap.ts";

/** A replica as it is seen behind the provider's back. */
export interface SeenReplica {
  readonly name: string;
  readonly image: string;
  readonly isRunning: boolean;
}

/** Two platforms, named `ref` and `other`, that one process of a test owns. */
export interface World {
  /** What `connect` of another process needs, by the platform's name. */
  readonly places: Readonly<Record<string, string>>;
  /** Sorted by name. */
  replicas(): Promise<SeenReplica[]>;
  /** Names of records in all ledgers. */
  records(): Promise<string[]>;
  /** All that a late write could have changed, as a text to compare. */
  everything(): Promise<string>;
  /** To begin anew from here, as often as wanted. Absent: the steps before are carried out each time. */
  save?(): Promise<unknown>;
  /** What is there besides replicas and is needed by nothing that is declared, in words. Arguments: as of `isRight`. */
  orphans?(services: string, runs: readonly string[]): Promise<readonly string[]>;
  /** Rejects where what is declared cannot be reached from outside. `services`: as in a step. */
  reach?(services: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A provider under the rig; all else is the same for each. A further provider is a file that exports one of these under
 * the name `subject`, and a test file that calls `testFaults`.
 */
export interface Subject {
  /** Its file, for the process that is killed. */
  readonly url: string;
  /** The type in `providers:`. */
  readonly type: string;
  /** What it is struck by. Default: every kind that strikes the engine. */
  readonly kinds?: readonly FaultKind[];
  /** Each fault takes long: in a full run every call is struck once, and the kinds take turns. */
  readonly takesTurns?: boolean;
  /** Scenarios of a plain run. Default: all. */
  readonly plain?: readonly string[];
  /** Scenarios that it cannot have: name → what it lacks. */
  readonly lacks?: Readonly<Record<string, string>>;
  /** Of a plain run, one fault in so many is tried. Default: the rig's. */
  readonly oneOf?: number;
  /** The platform itself refuses no old writer: who is frozen stays so until its lease ran out, because one that was taken away is noticed within seconds only. */
  readonly isUnfenced?: boolean;
  /** How much longer a fault takes than the processor works on it: so many scenarios go on at a time. Default 1. */
  readonly waits?: number;
  /** Its options in `providers:`. */
  options(place: string): Readonly<Record<string, string>>;
  /** Name of the stack, where worlds share a platform. Default: `shop`. */
  stack?(site: Site): string;
  /** The services of a step as this platform takes them. Default: as they are. */
  declare?(services: string, site: Site): string;
  start(folder: string, saved?: unknown): Promise<World>;
  /** A provider for one place, whose platform calls pass the tap as `driver.NAME`. */
  connect(place: string, tap: Tap): Provider;
  /** `death-of-WHO`: a part of the platform dies, wherever it runs. */
  kill?(who: string, site: Site): void;
}
