import { LatencyHistogram } from "./histogram.ts";

/** What clients met at an instance so far. */
export interface TrafficCounts {
  /** Another than before: the counts began anew. */
  readonly counter: string;
  /** HTTP requests that were meant for it, WebSockets included. */
  readonly requests: number;
  /** Of these: answered 502 or 503 by the gateway itself, or cut off in the middle of the answer. */
  readonly failed: number;
  /** TCP connections and WebSockets that were open at the end of a drain. */
  readonly closedAtDrain: number;
  /** From a request's head to the head of its answer, as `LatencyHistogram.counts` gives it. */
  readonly latency: readonly number[];
}

let counters = 0;

/** Counts for one instance, whichever entrance its requests come in by, and whichever replica answers. */
export class InstanceTraffic {
  requests = 0;
  failed = 0;
  closedAtDrain = 0;
  readonly latency = new LatencyHistogram();
  readonly #counter = `${process.pid}.${performance.timeOrigin}.${(counters += 1)}`;

  counts(): TrafficCounts {
    const { requests, failed, closedAtDrain, latency } = this;
    return { counter: this.#counter, requests, failed, closedAtDrain, latency: latency.counts() };
  }
}
