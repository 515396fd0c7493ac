import { asError, reasonOf } from "../process/thrown.ts";

/** Tells those who wait for a condition to look again. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  tell(): void {
    for (const look of Array.from(this.#waiting)) look();
  }

  /** Resolves with the first value other than undefined and false that `condition` gives, which is asked at once and after every change. Rejects with what it throws, and with the signal's reason. */
  until<T>(condition: () => T | undefined | false, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#waiting.delete(look);
        signal?.removeEventListener("abort", abort);
        settle();
      };
      const abort = (): void => finish(() => reject(reasonOf(signal)));
      const look = (): void => {
        try {
          const value = condition();
          if (value !== undefined && value !== false) finish(() => resolve(value));
        } catch (error) {
          finish(() => reject(asError(error)));
        }
      };
      if (signal?.aborted === true) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.add(look);
      look();
    });
  }
}
