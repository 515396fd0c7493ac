/** Ratio of neighbouring bucket limits. */
const growth = 1.2;
const smallestMs = 0.01;
const scale = 1 / Math.log(growth);

/** Counts durations in buckets that are 20 % wide: enough for a p99, constant in memory. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(112); // up to about two hours
  #total = 0;

  add(ms: number): void {
    const bucket =
      ms <= smallestMs ? 0 : Math.min(this.#counts.length - 1, Math.ceil(Math.log(ms / smallestMs) * scale));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /** Upper limit of the bucket that holds this share (0 to 1) of the durations; null before the first. */
  quantile(share: number): number | null {
    if (this.#total === 0) return null;
    const wanted = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    let bucket = 0;
    for (const count of this.#counts) {
      seen += count;
      if (seen >= wanted) break;
      bucket += 1;
    }
    return Math.round(smallestMs * growth ** bucket * 1000) / 1000;
  }
}
