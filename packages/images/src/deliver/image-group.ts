import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { sharedWork, type SharedWork } from "../build/shared-work.ts";
import type { EngineClient } from "../engine/client.ts";

/** Engines of one owner, among which an image is built once: each may give what it has to the others. */
export interface ImageGroup {
  readonly engines: Set<EngineClient>;
  /**
   * The result of `work` under `key`, which one of those who ask at a time does for all. Where it fails of what befell the engine of that one, the
   * next does it.
   */
  once<T>(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export function imageGroup(): ImageGroup {
  const running: SharedWork<unknown, never> = sharedWork();
  return {
    engines: new Set(),
    async once<T>(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
      for (;;) {
        let isMine = false;
        const begin = (shared: AbortSignal): Promise<T> => {
          isMine = true;
          return work(shared);
        };
        try {
          // All under one key do the same work.
          return (await running.run(key, begin, signal === undefined ? {} : { signal })) as T;
        } catch (error) {
          if (isMine || signal?.aborted === true || !isOfOneEngine(error)) throw error;
        }
      }
    },
  };
}

/** Says nothing of what another engine would do. */
function isOfOneEngine(error: unknown): boolean {
  return isCtrlPlaneError(error) && ["UNAVAILABLE", "QUOTA", "FORBIDDEN", "TIMEOUT", "CANCELLED"].includes(error.code);
}
