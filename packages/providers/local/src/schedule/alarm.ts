/** Time for a scheduler; tests bring their own. */
export interface Alarm {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back at that time, or now and then before it. Returns what takes it back. */
  at(timeMs: number, ring: () => void): () => void;
}

/** The clock may be set, and the machine may sleep: nobody trusts one long wait. */
const longestWaitMs = 15_000;

export const systemAlarm: Alarm = {
  now: () => Date.now(),
  at(timeMs, ring) {
    const timer = setTimeout(ring, Math.min(Math.max(0, timeMs - Date.now()), longestWaitMs));
    return () => clearTimeout(timer);
  },
};
