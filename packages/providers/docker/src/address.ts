import type { InstanceIdentity, PortSpec, ServiceAddress, ServiceSpec } from "@ctrlplane/core/provider";

/** Others of the stack find a service by `{stack}-{service}`, and by its own name, in the stack's network; people at the host's published ports. */
export function addressOf(
  publicHost: string,
  instance: Pick<InstanceIdentity, "name">,
  spec: Pick<ServiceSpec, "ports">,
): ServiceAddress {
  const host = instance.name;
  return {
    host,
    ports: spec.ports.map(({ containerPort, protocol }) => ({
      containerPort,
      port: containerPort,
      url: urlOf(protocol, host, containerPort),
    })),
    published: publishedUrls(publicHost, spec.ports),
  };
}

/** e.g. `http://203.0.113.7:8080`. */
export function publishedUrls(publicHost: string, ports: readonly PortSpec[]): readonly string[] {
  return ports.flatMap(({ hostPort, protocol, address }) => {
    if (hostPort === undefined) return [];
    const isAnywhere = address === undefined || address === "0.0.0.0" || address === "::" || address === "*";
    return [urlOf(protocol, isAnywhere ? publicHost : address, hostPort)];
  });
}

function urlOf(protocol: PortSpec["protocol"], host: string, port: number): string {
  const scheme = protocol === "http" || protocol === "auto" ? "http" : protocol;
  const authority = host.includes(":") ? `[${host}]` : host;
  return scheme === "http" && port === 80 ? `http://${authority}` : `${scheme}://${authority}:${port}`;
}
