/** Work that several callers want at a time and that is done once. It is aborted when nobody waits for it any more; who comes after its end begins anew. */
export interface SharedWork<T, P> {
  /** The result of the work under `key`, begun by `start` where it does not run yet. */
  run(
    key: string,
    /** `tell` reaches all who wait. */
    start: (signal: AbortSignal, tell: (progress: P) => void) => Promise<T>,
    waiting?: {
      /** Ends this caller's waiting alone. */
      readonly signal?: AbortSignal;
      /** Of the work, from now on. */
      readonly onProgress?: (progress: P) => void;
    },
  ): Promise<T>;
}

interface Running<T, P> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  /** One for each who waits. */
  readonly listeners: Set<(progress: P) => void>;
}

export function sharedWork<T, P>(): SharedWork<T, P> {
  const running = new Map<string, Running<T, P>>();
  return {
    async run(key, start, { signal, onProgress } = {}) {
      signal?.throwIfAborted();
      const listener = (progress: P) => onProgress?.(progress);
      const known = running.get(key);
      const work = known ?? begin(start);
      const forget = (): void => {
        if (running.get(key) === work) running.delete(key);
      };
      if (known === undefined) {
        running.set(key, work);
        work.result.then(forget, forget);
      }
      work.listeners.add(listener);
      try {
        return await unlessAborted(work.result, signal);
      } finally {
        work.listeners.delete(listener);
        if (work.listeners.size === 0) {
          forget();
          work.abort.abort(signal?.reason);
        }
      }
    },
  };
}

function begin<T, P>(start: (signal: AbortSignal, tell: (progress: P) => void) => Promise<T>): Running<T, P> {
  const abort = new AbortController();
  const listeners = new Set<(progress: P) => void>();
  const result = start(abort.signal, (progress) => {
    for (const each of listeners) each(progress);
  });
  // Each who waits is told; where all have left, nobody is.
  result.catch(() => undefined);
  return { result, abort, listeners };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
