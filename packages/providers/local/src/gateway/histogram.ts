/** Ratio of neighbouring bucket limits. */
const growth = 1.2;
const smallestMs = 0.01;
const scale = 1 / Math.log(growth);

/** Counts durations in buckets that are 20 % wide: enough for a p99, constant in memory. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(112); // up to about two hours

  add(ms: number): void {
    const bucket =
      ms <= smallestMs ? 0 : Math.min(this.#counts.length - 1, Math.ceil(Math.log(ms / smallestMs) * scale));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** As `quantileOf`, of all durations so far. */
  quantile(share: number): number | null {
    return quantileOf(this.#counts, share);
  }

  /** By bucket, up to the last one that holds any. */
  counts(): number[] {
    return [...this.#counts.subarray(0, this.#counts.findLastIndex((count) => count > 0) + 1)];
  }
}

/** Upper limit of the bucket that holds this share (0 to 1) of the durations; null where there are none. */
export function quantileOf(counts: Iterable<number>, share: number): number | null {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return null;
  const wanted = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  let bucket = 0;
  for (const count of counts) {
    seen += count;
    if (seen >= wanted) break;
    bucket += 1;
  }
  return Math.round(smallestMs * growth ** bucket * 1000) / 1000;
}
