import type { Diagnostic, PortSpec, ServiceSpec } from "@ctrlplane/core/provider";
import { listenings, loopbackPort } from "../address.ts";
import type { LocalFacts } from "../facts.ts";
import { overlaps } from "../port-holders.ts";
import type { PortHolder } from "../port-holders.ts";
import { refused, told } from "./finding.ts";

export function checkPorts(spec: ServiceSpec, facts: LocalFacts): readonly Diagnostic[] {
  return [
    ...spec.ports.flatMap((port, index) => checkPublished(port, `ports[${index}]`, facts)),
    ...checkRepeated(spec.ports),
    ...checkLoopback(spec.ports),
    ...checkVariables(spec),
  ];
}

function checkPublished(
  { hostPort, address, protocol }: PortSpec,
  field: string,
  facts: LocalFacts,
): readonly Diagnostic[] {
  if (hostPort === undefined) return [];
  if (hostPort < facts.lowestPort) {
    const hint = `Publish a port from ${facts.lowestPort} on, e.g. ${8000 + (hostPort % 1000)}, or let an administrator lower \`net.ipv4.ip_unprivileged_port_start\`.`;
    return [
      refused(
        field,
        "port-privileged",
        `port ${hostPort} needs root: this user may listen from ${facts.lowestPort} on`,
        hint,
      ),
    ];
  }
  const at = address === undefined || address === "0.0.0.0" || address === "::" ? "*" : address;
  if (
    at !== "*" &&
    !at.startsWith("127.") &&
    at !== "::1" &&
    facts.addresses.length > 0 &&
    !facts.addresses.includes(at)
  ) {
    return [
      refused(
        field,
        "address-unknown",
        `${at} is no address of this machine`,
        `Its addresses are 127.0.0.1, ${facts.addresses.join(", ")}.`,
      ),
    ];
  }
  const transport = protocol === "udp" ? "udp" : "tcp";
  const holder = facts.listening.find(
    (each) => each.port === hostPort && each.transport === transport && overlaps(each.address, at),
  );
  if (holder === undefined) return [];
  return [
    refused(
      field,
      "port-in-use",
      `port ${hostPort} is in use by ${describeHolder(holder)}`,
      "End that process, or publish another port.",
    ),
  ];
}

/** `pid 4711 (node server.js)`. */
export function describeHolder({ pid, command }: Pick<PortHolder, "pid" | "command">): string {
  if (pid === undefined) return "a process of another user";
  return command === undefined || command === "" ? `pid ${pid}` : `pid ${pid} (${command})`;
}

function checkRepeated(ports: readonly PortSpec[]): readonly Diagnostic[] {
  return ports.flatMap(({ containerPort, hostPort, protocol }, index): Diagnostic[] => {
    const before = ports.slice(0, index).filter((each) => (each.protocol === "udp") === (protocol === "udp"));
    if (!before.some((each) => each.containerPort === containerPort && each.hostPort === hostPort)) return [];
    return [
      refused(`ports[${index}]`, "port-repeated", `port ${containerPort} stands here twice`, "Remove one of the two."),
    ];
  });
}

/** Where other services reach it, two ports must not fall together. */
function checkLoopback(ports: readonly PortSpec[]): readonly Diagnostic[] {
  if (listenings("", ports).every((each) => each.isPublished)) return [];
  return ports.flatMap(({ containerPort }, index): Diagnostic[] => {
    const other = ports
      .slice(0, index)
      .find(
        (each) =>
          each.containerPort !== containerPort && loopbackPort(each.containerPort) === loopbackPort(containerPort),
      );
    if (other === undefined) return [];
    const summary = `ports ${other.containerPort} and ${containerPort} would both answer at ${loopbackPort(containerPort)} for other services`;
    return [refused(`ports[${index}]`, "port-clash", summary, "Choose one whose last four digits differ.")];
  });
}

/** The variables by which a replica learns its ports are ours. */
function checkVariables(spec: ServiceSpec): readonly Diagnostic[] {
  if (spec.ports.length === 0) return [];
  const ports = spec.ports.map((each) => each.containerPort);
  return Object.entries(spec.env).flatMap(([name, value]): Diagnostic[] => {
    const further = /^PORT_(\d+)$/.exec(name)?.[1];
    const expected = name === "PORT" ? ports : ports.filter((port) => String(port) === further);
    if (expected.length === 0) return [];
    const field = `env.${name}`;
    if (expected.some((port) => String(port) === value)) {
      return [told(field, "port-replaced", `env.${name} is replaced: each replica gets a port of its own in it`)];
    }
    const summary = `env.${name} must be one of the container ports (${expected.join(", ")}): each replica gets a port of its own in it`;
    return [refused(field, "port-variable", summary, `Remove env.${name}, and let the program listen on $${name}.`)];
  });
}
