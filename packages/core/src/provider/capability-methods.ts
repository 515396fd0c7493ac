import type { Capability } from "./capability.ts";
import type { Provider } from "./provider.ts";

/** Methods that exist only with a capability; all others every provider has. */
export type GatedMethod =
  | "provision"
  | "deprovision"
  | "deploy"
  | "rollback"
  | "start"
  | "stop"
  | "restart"
  | "run"
  | "advance"
  | "scale"
  | "logs"
  | "exec";

/** Which methods a capability promises. A strategy is a way to deploy. Those that promise none say what a spec may ask for. */
export interface CapabilityMethods extends Record<Capability, GatedMethod> {
  provision: "provision" | "deprovision";
  deploy: "deploy" | "rollback" | "start" | "stop" | "restart" | "run";
  rolling: CapabilityMethods["deploy"];
  blue_green: CapabilityMethods["deploy"] | "advance";
  canary: CapabilityMethods["deploy"] | "advance";
  scale: "scale";
  autoscale: "scale";
  logs: "logs";
  exec: "exec";
  volumes: never;
  gpu: never;
  custom_domains: never;
  tls: never;
}

/** One of these must be declared for a method to be called. */
export const capabilitiesOf: Readonly<Record<GatedMethod, readonly [Capability, ...Capability[]]>> = {
  provision: ["provision"],
  deprovision: ["provision"],
  deploy: ["deploy"],
  rollback: ["deploy"],
  start: ["deploy"],
  stop: ["deploy"],
  restart: ["deploy"],
  run: ["deploy"],
  advance: ["canary", "blue_green"],
  scale: ["scale"],
  logs: ["logs"],
  exec: ["exec"],
};

export function isGated(method: keyof Provider): method is GatedMethod {
  return method in capabilitiesOf;
}
