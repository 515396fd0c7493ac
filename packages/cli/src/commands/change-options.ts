import type { ChangeOptions } from "@ctrlplane/core";
import type { Session } from "../session.ts";

/** What every change takes from the command line. */
export function changeOptions({ invocation, signal }: Session): ChangeOptions & { readonly signal: AbortSignal } {
  const message = invocation.text("message");
  const lockWaitMs = invocation.durationMs("lock-wait");
  return { signal, ...(message === undefined ? {} : { message }), ...(lockWaitMs === undefined ? {} : { lockWaitMs }) };
}
