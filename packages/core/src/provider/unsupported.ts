import { CtrlPlaneError } from "../errors/error.ts";
import type { Capability } from "./capability.ts";
import { capabilitiesOf, type GatedMethod } from "./capability-methods.ts";

/** Whether a provider with these capabilities may be asked for this. */
export function isSupported(method: GatedMethod, capabilities: readonly Capability[]): boolean {
  return capabilitiesOf[method].some((each) => capabilities.includes(each));
}

export function unsupported(method: GatedMethod, provider: string): CtrlPlaneError {
  const names = capabilitiesOf[method].join(" or ");
  return new CtrlPlaneError("UNSUPPORTED", `${provider} cannot ${method}: it does not have the capability ${names}`, {
    provider,
    hint: "pctl providers shows what each provider can do",
  });
}
