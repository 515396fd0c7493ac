/** Work that several callers want at a time and that is done once. It is aborted when nobody waits for it any more. */
export interface SharedWork<T> {
  /** The result of the work under `key`, begun by `start` where it does not run yet. `signal` ends this caller's waiting alone. */
  run(key: string, start: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function sharedWork<T>(): SharedWork<T> {
  const running = new Map<string, { readonly result: Promise<T>; readonly abort: AbortController; waiting: number }>();
  return {
    async run(key, start, signal) {
      signal?.throwIfAborted();
      let work = running.get(key);
      if (work === undefined) {
        const abort = new AbortController();
        work = { result: start(abort.signal), abort, waiting: 0 };
        running.set(key, work);
        const forget = () => running.delete(key);
        work.result.then(forget, forget);
      }
      const mine = work;
      mine.waiting += 1;
      try {
        return await unlessAborted(mine.result, signal);
      } finally {
        mine.waiting -= 1;
        if (mine.waiting === 0) {
          running.delete(key);
          mine.abort.abort(signal?.reason);
        }
      }
    },
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
