import { CtrlPlaneError } from "@ctrlplane/core";
import { exit } from "./exit-code.ts";

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
 * Safe at any moment: the next command goes on from what was recorded. With `timeoutMs`, aborts with `TIMEOUT` when it has passed.
 */
export function listenForInterruption(onFirst: (name: string) => void, timeoutMs?: number): Interruption {
  const controller = new AbortController();
  const interrupt = (name: string): void => {
    if (controller.signal.aborted && isCancelled(controller.signal)) process.exit(exit.interrupted);
    controller.abort(new CtrlPlaneError("CANCELLED", `interrupted by ${name}`));
    onFirst(name);
  };
  for (const name of names) process.on(name, interrupt);
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => controller.abort(timeoutError(timeoutMs)), timeoutMs);
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

function isCancelled(signal: AbortSignal): boolean {
  return signal.reason instanceof CtrlPlaneError && signal.reason.code === "CANCELLED";
}

function timeoutError(timeoutMs: number): CtrlPlaneError {
  const hint = "What was begun is finished or undone by the next command; --timeout allows more.";
  return new CtrlPlaneError("TIMEOUT", `gave up after ${timeoutMs / 1000} s (--timeout)`, { hint });
}
