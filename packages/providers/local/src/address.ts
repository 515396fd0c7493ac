import { sha256 } from "@ctrlplane/core/provider";
import type { InstanceIdentity, PortSpec, ServiceAddress, ServiceSpec } from "@ctrlplane/core/provider";

type Reachable = Pick<ServiceSpec, "ports" | "domains">;

/** Where the gateway listens for one port of an instance. */
export interface Listening {
  readonly containerPort: number;
  readonly protocol: PortSpec["protocol"];
  /** IP address, or `*` for all of the machine. */
  readonly address: string;
  readonly port: number;
  /** For clients outside of this machine's services. */
  readonly isPublished: boolean;
}

/** Everything at which a service answers: its published ports, and for other services a loopback address of its own. */
export function listenings(instanceId: string, spec: Reachable): readonly Listening[] {
  const { ports } = spec;
  const published = ports.flatMap(({ containerPort, protocol, hostPort, address }): Listening[] =>
    hostPort === undefined
      ? []
      : [{ containerPort, protocol, address: wildcard(address), port: hostPort, isPublished: true }],
  );
  if (usesPublishedPorts(spec)) return published;
  const loopback = ports.map(({ containerPort, protocol }) => ({
    containerPort,
    protocol,
    address: loopbackAddress(instanceId),
    port: loopbackPort(containerPort),
    isPublished: false,
  }));
  return [...published, ...loopback];
}

/** `Provider.address` of `local`: the published ports where every one is published at the same address to everybody, else the loopback address. */
export function addressOf(instance: Pick<InstanceIdentity, "id">, spec: Reachable): ServiceAddress {
  const first = spec.ports[0];
  const isPublished = first !== undefined && usesPublishedPorts(spec);
  const host = isPublished ? reachable(first.address) : loopbackAddress(instance.id);
  return {
    host,
    ports: spec.ports.map(({ containerPort, hostPort, protocol }) => {
      const port = isPublished && hostPort !== undefined ? hostPort : loopbackPort(containerPort);
      return { containerPort, port, url: urlOf(protocol, host, port) };
    }),
    published: publishedUrls(spec),
  };
}

/** Addresses for people, e.g. `http://127.0.0.1:8080`; with domains `http://shop.example.com:8080/api`. */
export function publishedUrls(spec: Reachable): readonly string[] {
  return spec.ports.flatMap(({ hostPort, protocol, address }) => {
    if (hostPort === undefined) return [];
    if (spec.domains.length === 0 || !isHttp(protocol)) return [urlOf(protocol, reachable(address), hostPort)];
    return spec.domains.map(({ host, path }) => `${urlOf(protocol, host, hostPort)}${path === "/" ? "" : path}`);
  });
}

/** 127.x.y.z, a function of the instance's id; never 127.0.*, where other programs listen. */
export function loopbackAddress(instanceId: string): string {
  const bytes = Buffer.from(sha256(instanceId), "hex");
  const between = (index: number, size: number) => 1 + ((bytes[index] ?? 0) % size);
  return `127.${between(0, 254)}.${bytes[1] ?? 0}.${between(2, 254)}`;
}

export function loopbackPort(containerPort: number): number {
  return 20_000 + (containerPort % 10_000);
}

export function isHttp(protocol: PortSpec["protocol"]): boolean {
  return protocol === "http" || protocol === "auto";
}

/** With domains, a published port answers only those who ask for them. */
function usesPublishedPorts({ ports, domains }: Reachable): boolean {
  if (domains.length > 0) return false;
  const hosts = new Set(ports.map((port) => (port.hostPort === undefined ? undefined : reachable(port.address))));
  return hosts.size === 1 && !hosts.has(undefined);
}

function urlOf(protocol: PortSpec["protocol"], host: string, port: number): string {
  const scheme = isHttp(protocol) ? "http" : protocol;
  const authority = host.includes(":") ? `[${host}]` : host;
  return scheme === "http" && port === 80 ? `http://${authority}` : `${scheme}://${authority}:${port}`;
}

/** What listens everywhere also answers here. */
function reachable(address: string | undefined): string {
  if (address === "::") return "::1";
  return address === undefined || wildcard(address) === "*" ? "127.0.0.1" : address;
}

function wildcard(address: string | undefined): string {
  return address === undefined || address === "0.0.0.0" || address === "*" ? "*" : address;
}
