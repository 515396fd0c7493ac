import { CtrlPlaneError, isCtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { pullImage } from "@ctrlplane/images";
import type { GatewayPlace } from "./gateway-table.ts";

/** The host has the gateway's image, or `FAILED` `IMAGE_PULL`. */
export async function pullGatewayImage(
  { engine, image, instance }: GatewayPlace,
  context: ProviderContext,
): Promise<void> {
  const target = `${instance.name}-gateway`;
  context.progress({ type: "build.progress", message: `pulling ${image} for the gateway of ${instance.name}` });
  context.fence.check();
  try {
    await pullImage(engine, image, { signal: context.signal });
  } catch (cause) {
    if (isCtrlPlaneError(cause) && cause.code === "CANCELLED") throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CtrlPlaneError("FAILED", `the gateway's image ${image} could not be pulled: ${reason}`, {
      target,
      cause,
      failure: { verdict: "IMAGE_PULL", replica: target },
      hint: "Bring it to the host with `docker load`, or name one that the host can get with `gatewayImage`.",
    });
  }
}
