import type { InstanceIdentity, PortSpec, ServiceAddress, ServiceSpec } from "@ctrlplane/core/provider";

/** Inside it is the instance's name and the container's port; outside a made-up host and the host's port. Nothing listens there. */
export function addressOf(instance: InstanceIdentity, spec: ServiceSpec): ServiceAddress {
  const host = `${instance.name}.reference.internal`;
  const ports = spec.ports.map(({ containerPort, protocol }) => ({
    containerPort,
    port: containerPort,
    url: `${schemeOf(protocol)}://${host}:${containerPort}`,
  }));
  return { host, ports, published: publishedAt(spec.ports) };
}

export function publishedAt(ports: readonly PortSpec[]): readonly string[] {
  return ports.flatMap(({ hostPort, protocol }) =>
    hostPort === undefined ? [] : `${schemeOf(protocol)}://reference.test:${hostPort}`,
  );
}

function schemeOf(protocol: PortSpec["protocol"]): string {
  return protocol === "auto" ? "http" : protocol;
}
