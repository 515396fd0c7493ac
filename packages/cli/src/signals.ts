import { CtrlPlaneError } from "@ctrlplane/core";
import { exit, isOurs } from "./exit-code.ts";

/** What ends a command from outside, as one signal. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** From now on the signals are somebody else's; the time-out still holds. */
  handOver(): void;
  /** Stops listening. */
  dispose(): void;
}

const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The first SIGINT, SIGTERM or SIGHUP aborts with `CANCELLED` and calls `onFirst`; the second one ends the process at once with 130.
 * Safe at any moment: the next command goes on from what was recorded. `timeoutMs` does the same when it has passed, under the name
 * `--timeout`.
 */
export function listenForInterruption(onFirst: (name: string) => void, timeoutMs?: number): Interruption {
  const controller = new AbortController();
  const interrupt = (name: string): void => {
    if (controller.signal.aborted) process.exit(exit.interrupted);
    controller.abort(new CtrlPlaneError("CANCELLED", `interrupted by ${name}`));
    onFirst(name);
  };
  for (const name of names) process.on(name, interrupt);
  const giveUp = (ms: number): void => {
    if (controller.signal.aborted) return;
    controller.abort(timeoutError(ms));
    onFirst(timeoutTarget);
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs, timeoutMs);
  timer?.unref();
  const handOver = (): void => {
    for (const name of names) process.off(name, interrupt);
  };
  return {
    signal: controller.signal,
    handOver,
    dispose: () => {
      clearTimeout(timer);
      handOver();
    },
  };
}

/** Settles as `work` does, or rejects with the signal's reason; for work that takes no signal. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

const timeoutTarget = "--timeout";

/** True where the time of `--timeout` ended it, and no signal. */
export function isTimeout(reason: unknown): boolean {
  return isOurs(reason) && reason.code === "CANCELLED" && reason.target === timeoutTarget;
}

/** An interruption like the others: what was decided stays, and nothing is undone because of it. */
function timeoutError(timeoutMs: number): CtrlPlaneError {
  return new CtrlPlaneError("CANCELLED", `gave up after ${timeoutMs / 1000} s (--timeout)`, { target: timeoutTarget });
}
