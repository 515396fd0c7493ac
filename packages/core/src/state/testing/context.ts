import type { ProviderContext } from "../../provider/context.ts";
import { systemClock } from "./clocks.ts";
import { createSealer } from "../sealing.ts";

/** A context for tests: nothing aborts, and every write is allowed. */
export function testContext(changes: Partial<ProviderContext> = {}): ProviderContext {
  return {
    signal: new AbortController().signal,
    clock: systemClock,
    log: { debug: () => undefined, warn: () => undefined },
    progress: () => undefined,
    fence: { stack: "shop", epoch: 0, check: () => Promise.resolve() },
    sealer: testSealer,
    ...changes,
  };
}

/** Seals with a key that everybody knows. */
export const testSealer = createSealer(Buffer.alloc(32, 7));
