import { isCtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";

/** Another one wrote first; not: the lease is lost, which has the same code and rejects here. */
export async function isConflict(error: unknown, context: ProviderContext): Promise<boolean> {
  await context.fence.check();
  return isCtrlPlaneError(error) && error.code === "CONFLICT";
}
