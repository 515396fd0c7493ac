import { CtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";

/** The same context, whose signal also aborts with `signal`. */
export function withSignal(context: ProviderContext, signal: AbortSignal): ProviderContext {
  return {
    signal: AbortSignal.any([context.signal, signal]),
    clock: context.clock,
    log: context.log,
    progress: (progress) => context.progress(progress),
    fence: context.fence,
    sealer: context.sealer,
  };
}

/** To be awaited right before every effect: throws `CANCELLED` when nobody wants it any more, `CONFLICT` when the lease is lost. */
export async function beforeEffect(context: ProviderContext): Promise<void> {
  if (context.signal.aborted) {
    throw new CtrlPlaneError("CANCELLED", "stopped between two steps", {
      hint: "the next pctl deploy goes on from here",
      cause: context.signal.reason,
    });
  }
  await context.fence.check();
}
