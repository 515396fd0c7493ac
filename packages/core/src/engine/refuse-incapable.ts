import { CtrlPlaneError } from "../errors/error.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import { requireProvider } from "../platforms/bind.ts";
import { hasCapability, type Capability } from "../provider/capability.ts";
import type { Survey } from "./survey.ts";

/** Throws `UNSUPPORTED`, before anything is begun, where the provider of an instance lacks what a command needs. */
export function refuseIncapable(instance: InstanceIdentity, seen: Survey, needed: readonly Capability[]): void {
  const { provider } = requireProvider(seen.platforms, instance.provider);
  const missing = needed.find((name) => !hasCapability(provider.capabilities(), name));
  if (missing === undefined) return;
  const isRange = missing === "autoscale";
  const what = isRange ? "has no autoscaler, so a range of replicas cannot be kept" : `cannot ${missing}`;
  throw new CtrlPlaneError("UNSUPPORTED", `${instance.provider} ${what}`, {
    provider: instance.provider,
    target: instance.service,
    hint: isRange ? `Name a number: pctl scale ${instance.service} 3` : "pctl providers says what each can do.",
  });
}
