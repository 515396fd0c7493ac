import type { Provider } from "@ctrlplane/core";
import type { Tap } from "./tap.ts";

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
  /** To begin anew from here, as often as wanted. */
  save(): Promise<unknown>;
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
  start(folder: string, saved?: unknown): Promise<World>;
  /** A provider for one place, whose platform calls pass the tap as `driver.NAME`. */
  connect(place: string, tap: Tap): Provider;
}
