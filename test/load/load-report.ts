/** What a load run saw. `sent` = `ok` + `failed`. */
export interface LoadReport {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  /** How often by reason: `ECONNRESET`, `status 503`, `timeout`, `answer cut off`, what `judge` said … */
  readonly failures: Readonly<Record<string, number>>;
  /** From the scheduled time to the end of the answer, of those that are `ok`; null where there are none. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
  /** More than `connections` means that some were closed on us. */
  readonly connectionsOpened: number;
  readonly sendingMs: number;
  /** How late the client itself was at the most: with hundreds of ms, its latencies say more about the client than about the server. */
  readonly worstLagMs: number;
}

export class LoadRecord {
  sendingMs = 0;
  #sent = 0;
  #connections = 0;
  #worstLagMs = 0;
  readonly #latencies: number[] = [];
  readonly #failures = new Map<string, number>();

  sent(): void {
    this.#sent += 1;
  }

  connected(): void {
    this.#connections += 1;
  }

  lag(ms: number): void {
    this.#worstLagMs = Math.max(this.#worstLagMs, ms);
  }

  ok(ms: number): void {
    this.#latencies.push(ms);
  }

  failed(reason: string): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  report(): LoadReport {
    const sorted = this.#latencies.toSorted((left, right) => left - right);
    return {
      sent: this.#sent,
      ok: sorted.length,
      failed: this.#failures.values().reduce((sum, count) => sum + count, 0),
      failures: Object.fromEntries(this.#failures),
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      maxMs: quantile(sorted, 1),
      connectionsOpened: this.#connections,
      sendingMs: Math.round(this.sendingMs),
      worstLagMs: round(this.#worstLagMs),
    };
  }
}

/** The smallest value that at least this share (0 to 1) of all values does not exceed. */
export function quantile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return value === undefined ? null : round(value);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
