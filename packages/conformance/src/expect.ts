import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { isCtrlPlaneError, type CtrlPlaneError, type ErrorCode } from "@ctrlplane/core/provider";
import { Refused } from "./refused.ts";

/** What the call threw, which must be ours with one of these codes. */
export function rejects(call: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<CtrlPlaneError> {
  const refusal = refusalOf(call, codes);
  // It may be awaited only after other steps: until then nobody has heard of its failure, and that must not end the process.
  refusal.catch(() => undefined);
  return refusal;
}

async function refusalOf(call: Promise<unknown>, codes: readonly ErrorCode[]): Promise<CtrlPlaneError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  assert.ok(outcome !== undefined, `expected an error with code ${codes.join(" or ")}, and it succeeded`);
  const { error } = outcome;
  if (error instanceof Refused) throw error;
  assert.ok(isCtrlPlaneError(error), `expected a CtrlPlaneError with code ${codes.join(" or ")}, got ${String(error)}`);
  assert.ok(codes.includes(error.code), `expected code ${codes.join(" or ")}, got ${error.code}: ${error.message}`);
  return error;
}

/** The first value that `look` gives; nothing tells when, so it is looked at again and again for `withinMs`. */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined>,
  withinMs = 15_000,
): Promise<Value> {
  const until = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > until) assert.fail(`${what}: not within ${withinMs / 1000} s`);
    await sleep(20);
  }
}

/** What `look` saw while the work went on, beginning and end included. */
export async function sampled<Seen, Result>(
  look: () => Promise<Seen>,
  work: Promise<Result>,
): Promise<{ readonly seen: readonly Seen[]; readonly result: Result }> {
  const seen: Seen[] = [];
  const end = new AbortController();
  const watching = (async () => {
    do {
      seen.push(await look());
      await sleep(5);
    } while (!end.signal.aborted);
    seen.push(await look());
  })();
  // Awaited once the work is over: until then nobody has heard of its failure, and that must not end the process.
  watching.catch(() => undefined);
  try {
    const result = await work;
    end.abort();
    await watching;
    return { seen, result };
  } finally {
    end.abort();
    await Promise.allSettled([watching]);
  }
}
