import { CtrlPlaneError, isCtrlPlaneError, type ProviderContext, messageOf } from "@ctrlplane/core/provider";
import { pullImage, segment, unlessMissing } from "@ctrlplane/images";
import type { GatewayPlace } from "./gateway-table.ts";

/** The host has the gateway's image already, or gets it now: asked before anything is given up for the gateway. */
export async function ensureGatewayImage(place: GatewayPlace, context: ProviderContext): Promise<void> {
  const path = `/images/${segment(place.image)}/json`;
  const found = await unlessMissing(place.engine.json<object>({ method: "GET", path, signal: context.signal }));
  if (found === undefined) await pullGatewayImage(place, context);
}

/** The host has the gateway's image, or `FAILED` `IMAGE_PULL`. */
export async function pullGatewayImage(
  { engine, image, instance }: GatewayPlace,
  context: ProviderContext,
): Promise<void> {
  const target = `${instance.name}-gateway`;
  context.progress({ type: "build.progress", message: `pulling ${image} for the gateway of ${instance.name}` });
  await context.fence.check();
  try {
    await pullImage(engine, image, { signal: context.signal });
  } catch (cause) {
    if (isCtrlPlaneError(cause) && cause.code === "CANCELLED") throw cause;
    const reason = messageOf(cause);
    throw new CtrlPlaneError("FAILED", `the gateway's image ${image} could not be pulled: ${reason}`, {
      target,
      cause,
      failure: { verdict: "IMAGE_PULL", replica: target },
      hint: "Bring it to the host with `docker load`, or name one that the host can get with `gatewayImage`.",
    });
  }
}
