import { isCtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";

/** Another one wrote first; not: the lease is lost, which has the same code and throws here. */
export function isConflict(error: unknown, context: ProviderContext): boolean {
  context.fence.check();
  return isCtrlPlaneError(error) && error.code === "CONFLICT";
}
