import type { EventType } from "../model/event.ts";
import type { CutOverTraffic } from "../model/traffic.ts";

/** Time, so that tests can own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Logger {
  debug(message: string, data?: Readonly<Record<string, unknown>>): void;
  warn(message: string, data?: Readonly<Record<string, unknown>>): void;
}

/** A thing that happened; the engine adds who and when and makes an event of it. */
export type Progress = ReplicaProgress | TrafficProgress;

/** It happened to a replica or a build. `diagnostic`: what a user must know of the call, shown as a warning. */
interface ReplicaProgress {
  readonly type: Extract<EventType, `replica.${string}` | `build.${string}` | "diagnostic">;
  readonly message: string;
  readonly replica?: string;
  readonly release?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What the platform measured while this call changed what serves. Kept with the deployment; optional, for platforms that know. */
interface TrafficProgress {
  readonly type: "service.traffic";
  readonly message: string;
  readonly data: CutOverTraffic;
}

/**
 * Proof of the right to write: the lease under which this call is made. A provider whose platform can refuse an old epoch
 * sends `epoch` with every write; every other one calls `check` right before each write.
 */
export interface Fence {
  readonly stack: string;
  /** Rises with every holder. 0 where the call needs no lease (reads). */
  readonly epoch: number;
  /**
   * To be awaited right before each write. Resolves while the lease is held; where it could not be renewed in time it waits until that is known again. Rejects with
   * `CONFLICT` once the lease is lost. Does no I/O of its own.
   */
  check(): Promise<void>;
}

/** Seals what must not be readable where it is stored. */
export interface Sealer {
  /** Text that only a holder of the key can open; `purpose` is authenticated with it. */
  seal(plain: string, purpose: string): string;
  /** Throws `FORBIDDEN` without the right key, `INVALID` for a damaged text. */
  open(sealed: string, purpose: string): string;
}

/** Comes with every call of a provider. */
export interface ProviderContext {
  /** Aborts when nobody wants the result any more: stop at the next safe point and throw `CANCELLED`. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  progress(progress: Progress): void;
  readonly fence: Fence;
  readonly sealer: Sealer;
}
