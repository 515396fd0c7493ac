import type { ReplicaStats } from "./client.ts";
import { LatencyHistogram } from "./histogram.ts";
import type { Target } from "./routes.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/**
 * How long an idle connection is kept where the replica names no time: below what the servers in use close after (gunicorn
 * 2 s, Node and uvicorn 5 s). Where it names one by `Keep-Alive: timeout=`, half of that, at most 4 s.
 */
const unnamedIdleMs = 1000;
const longestIdleMs = 4000;
/** Idle connections kept; more are closed when they become free. */
const mostIdle = 256;
/**
 * A request that must not be sent twice takes a kept connection only where it was free for less than this: the replica may be
 * closing an older one at this moment, and then nobody could say whether the request was carried out.
 */
const freshMs = 50;

/** Something open to a replica that `cut` ends. */
export interface OpenWork {
  cut(): void;
}

/** A replica as the gateway reaches it: kept connections, what is open, and what was counted. Lives until it is drained. */
export class Upstream {
  readonly replicaId: string;
  readonly host: string;
  readonly port: number;
  readonly latency = new LatencyHistogram();
  requests = 0;
  failures = 0;
  #isRouted = true;
  readonly #idle: UpstreamConnection[] = [];
  readonly #work = new Set<OpenWork>();
  readonly #whenIdle = new Set<() => void>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(target: Target) {
    this.replicaId = target.replicaId;
    this.host = target.host;
    this.port = target.port;
  }

  get isRouted(): boolean {
    return this.#isRouted;
  }

  /** Off: idle connections close now, the others when they become free. */
  setRouted(isRouted: boolean): void {
    this.#isRouted = isRouted;
    if (!isRouted) for (const connection of this.#idle.splice(0)) connection.socket.destroy();
  }

  get inFlight(): number {
    return this.#work.size;
  }

  began(work: OpenWork): void {
    this.requests += 1;
    this.#work.add(work);
  }

  ended(work: OpenWork): void {
    this.#work.delete(work);
    if (this.#work.size === 0) for (const resolve of this.#whenIdle) resolve();
  }

  /** Resolves when nothing is open, or at the time limit or the signal; says what is open then. */
  async idle(timeoutMs: number, signal: AbortSignal): Promise<readonly OpenWork[]> {
    if (this.#work.size > 0 && !signal.aborted && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#whenIdle.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        this.#whenIdle.add(done);
        signal.addEventListener("abort", done);
      });
    }
    return [...this.#work];
  }

  /** Which kept connections will do: `any`, those that were free for a moment only (`fresh`), or `none`. */
  connection(kept: "any" | "fresh" | "none", now: number): UpstreamConnection {
    const newest = this.#idle.at(-1);
    // The newest is the least likely to be closed by the other side; where it is too old, all are.
    if (
      kept !== "none" &&
      newest !== undefined &&
      now < newest.idleUntil &&
      (kept === "any" || now - newest.idleSince < freshMs)
    ) {
      this.#idle.pop();
      return newest;
    }
    return new UpstreamConnection(this);
  }

  keep(connection: UpstreamConnection, keepAliveMs: number | undefined): void {
    const idleMs = keepAliveMs === undefined ? unnamedIdleMs : Math.min(keepAliveMs / 2, longestIdleMs);
    if (!this.#isRouted || this.#idle.length >= mostIdle || idleMs <= 0) {
      connection.socket.destroy();
      return;
    }
    connection.idleSince = performance.now();
    connection.idleUntil = connection.idleSince + idleMs;
    this.#idle.push(connection);
    this.#sweep ??= setInterval(() => this.#closeOld(), 250).unref();
  }

  closed(connection: UpstreamConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  stats(): ReplicaStats {
    return {
      replicaId: this.replicaId,
      requests: this.requests,
      failures: this.failures,
      inFlight: this.inFlight,
      p50Ms: this.latency.quantile(0.5),
      p99Ms: this.latency.quantile(0.99),
    };
  }

  #closeOld(): void {
    const now = performance.now();
    const old = this.#idle.filter((each) => each.idleUntil <= now);
    for (const connection of old) connection.socket.destroy();
    this.#idle.splice(0, this.#idle.length, ...this.#idle.filter((each) => each.idleUntil > now));
    if (this.#idle.length > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
