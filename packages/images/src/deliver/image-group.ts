import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { sharedWork, type SharedWork } from "../build/shared-work.ts";
import type { EngineClient } from "../engine/client.ts";

/** Engines of one owner, among which an image is built once: each may give what it has to the others. */
export interface ImageGroup {
  /** In the order in which they came. */
  readonly engines: Set<EngineClient>;
  /** The engine will ask for the image of this content: it may be built there. */
  expect(engine: EngineClient, digest: string): void;
  /** Engines of the group that expect it, `self` in any case, in their order. */
  expecting(digest: string, self: EngineClient): readonly EngineClient[];
  leave(engine: EngineClient): void;
  /** The result of `work` under `key`, which one of those who ask at a time does for all. */
  once<T>(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export function imageGroup(): ImageGroup {
  const running: SharedWork<unknown, never> = sharedWork();
  const engines = new Set<EngineClient>();
  const expected = new Map<string, Set<EngineClient>>();
  return {
    engines,
    expect(engine, digest) {
      engines.add(engine);
      expected.set(digest, (expected.get(digest) ?? new Set()).add(engine));
    },
    expecting: (digest, self) =>
      [...engines, ...(engines.has(self) ? [] : [self])].filter(
        (each) => each === self || expected.get(digest)?.has(each) === true,
      ),
    leave(engine) {
      engines.delete(engine);
      for (const [digest, those] of expected) {
        those.delete(engine);
        if (those.size === 0) expected.delete(digest);
      }
    },
    once: async <T>(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) =>
      // All under one key do the same work.
      (await running.run(key, work, signal === undefined ? {} : { signal })) as T,
  };
}

/** The result of the first engine for which `work` succeeds; the next is tried where an error says nothing of it. */
export async function onFirst<T>(
  engines: readonly EngineClient[],
  work: (engine: EngineClient) => Promise<T>,
): Promise<{ readonly engine: EngineClient; readonly result: T }> {
  for (const [index, engine] of engines.entries()) {
    try {
      return { engine, result: await work(engine) };
    } catch (error) {
      if (index === engines.length - 1 || !isOfOneEngine(error)) throw error;
    }
  }
  throw new Error("no engine is asked");
}

/** Says nothing of what another engine would do. */
function isOfOneEngine(error: unknown): boolean {
  return isCtrlPlaneError(error) && ["UNAVAILABLE", "QUOTA", "FORBIDDEN", "TIMEOUT"].includes(error.code);
}
