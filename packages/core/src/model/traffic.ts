/** What clients met at an instance from the first change of what serves until all that was replaced had ended, as far as the platform saw it. */
export type CutOverTraffic = {
  /** HTTP requests. */
  readonly requests: number;
  /** Of these: answered 502, 503 or 504 by the platform itself, or cut off in the middle of the answer. */
  readonly failed: number;
  /** Connections that were established and had lasted longer than `drain`: TCP, WebSockets. */
  readonly closedAtDrain: number;
  /** From a request to the beginning of its answer; null where none was answered. */
  readonly p99Ms: number | null;
  /** How long it was measured. */
  readonly elapsedMs: number;
};
