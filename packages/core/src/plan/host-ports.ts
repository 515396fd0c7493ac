import type { Diagnostic } from "../errors/diagnostic.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { ServiceSpec } from "../model/spec.ts";
import { actionKey, type DesiredInstance, type KnownInstance, type PlanInput } from "./input.ts";

/** Port of `0.0.0.0:8080`, and of addresses for people, e.g. `http://shop.example.com/api`. */
export function portOf(address: string): string {
  const authority = /^(?:\w+:\/\/)?([^/]+)/.exec(address)?.[1] ?? address;
  return /:(\d+)$/.exec(authority)?.[1] ?? (address.startsWith("http://") ? "80" : address);
}

/** Host addresses that a spec publishes, `0.0.0.0:8080`. */
export function publishedBy({ ports }: Pick<ServiceSpec, "ports">): readonly string[] {
  return ports
    .filter((port) => port.hostPort !== undefined)
    .map((port) => `${port.address ?? "0.0.0.0"}:${port.hostPort}`);
}

/** A host port of the machine on which an instance publishes. */
export function portKey({ hosts }: Pick<PlanInput, "hosts">, instance: InstanceIdentity, address: string): string {
  return `${hosts.get(instance.provider) ?? instance.platformId} ${portOf(address)}`;
}

/** The same service elsewhere, or under its new name. */
export function isSuccessor(
  { instance, spec }: Pick<DesiredInstance, "instance"> & { readonly spec: Pick<DesiredInstance["spec"], "formerly"> },
  of: KnownInstance,
): boolean {
  const { service } = of.instance;
  return actionKey(instance) !== actionKey(of.instance) && (instance.service === service || spec.formerly === service);
}

/** Platforms of different kinds on one machine: one platform refuses the second itself, or shares the port by domains. */
export function portsTwice(input: PlanInput): Diagnostic[] {
  const taken = new Map<string, DesiredInstance>();
  return input.desired.flatMap((desired) =>
    desired.publishes.flatMap((address): Diagnostic[] => {
      const key = portKey(input, desired.instance, address);
      const other = taken.get(key);
      taken.set(key, other ?? desired);
      if (other === undefined || other.instance.platformId === desired.instance.platformId) return [];
      const isSame = other.instance.service === desired.instance.service;
      const who = isSame ? other.instance.provider : `${other.instance.service} on ${other.instance.provider}`;
      return [
        {
          severity: "error",
          code: "host-port",
          summary: `host port ${portOf(address)} of one machine is published by ${who} too`,
          field: `services.${desired.instance.service}.ports`,
          hint: isSame
            ? "Write one provider, or { containerPort } alone for what only services use."
            : "Choose another host port, or { containerPort } alone for what only services use.",
        },
      ];
    }),
  );
}
