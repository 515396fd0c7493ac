/** The seed's thirteen capabilities. */
export const capabilityNames = [
  "provision",
  "deploy",
  "scale",
  "logs",
  "exec",
  "volumes",
  "gpu",
  "blue_green",
  "canary",
  "rolling",
  "autoscale",
  "custom_domains",
  "tls",
] as const;
export type Capability = (typeof capabilityNames)[number];

export function hasCapability(capabilities: readonly Capability[], name: Capability): boolean {
  return capabilities.includes(name);
}
