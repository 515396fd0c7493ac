import { setTimeout as sleep } from "node:timers/promises";

const firstDelayMs = 100;
const longestDelayMs = 30_000;

/** A run that lives as long as this makes the next delay a short one again. */
export const settledMs = 60_000;

/** How long to wait before the start after the n-th short run in a row (from 1 on): 100 ms, doubling to 30 s. */
export function restartDelay(shortRuns: number): number {
  return Math.min(firstDelayMs * 2 ** Math.max(0, shortRuns - 1), longestDelayMs);
}

/** Waits `ms`, or until the signal aborts; does not throw. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
