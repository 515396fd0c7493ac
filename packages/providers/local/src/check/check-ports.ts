import type { Diagnostic, InstanceIdentity, PortSpec, ServiceSpec } from "@ctrlplane/core/provider";
import { isHttp, listenings, loopbackPort } from "../address.ts";
import { listenersOf } from "../describe.ts";
import type { LocalFacts } from "../facts.ts";
import { isGatewayOf } from "../gateway/start.ts";
import { describeOwner, isHeld, overlaps, ownerOf } from "../process/listening-sockets.ts";
import { describePort, isClash, isOfStack } from "../published-port.ts";
import { refused, told } from "./finding.ts";

export function checkPorts(spec: ServiceSpec, facts: LocalFacts, instance: InstanceIdentity): readonly Diagnostic[] {
  return [
    ...spec.ports.flatMap((port, index) => checkPublished(port, `ports[${index}]`, facts)),
    ...checkOtherStacks(spec, facts, instance),
    ...checkRepeated(spec.ports),
    ...checkLoopback(spec),
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
  const owner = ownerOf(holder);
  // Our own one, which is just being started and has not told its pid yet.
  if (owner !== undefined && isGatewayOf(facts.dir, owner.argv)) return [];
  // It has ended since it was seen: our own gateway, say, that was killed.
  if (owner === undefined && !isHeld(holder)) return [];
  return [
    {
      ...refused(
        field,
        "port-in-use",
        `port ${hostPort} is in use by ${describeOwner(owner)}`,
        "End that process, or publish another port.",
      ),
      takenPort: hostPort,
    },
  ];
}

/** What another stack has, this one cannot get; what its own services have, the plan hands on. */
function checkOtherStacks(spec: ServiceSpec, facts: LocalFacts, instance: InstanceIdentity): readonly Diagnostic[] {
  const others = facts.published.filter((each) => !isOfStack(each, instance));
  return listenersOf(instance.id, spec).flatMap((listener): Diagnostic[] => {
    const taken = others.find((each) => isClash(each, listener));
    if (taken === undefined) return [];
    const same = spec.ports.filter((each) => each.containerPort === listener.containerPort);
    const port = same.find((each) => each.hostPort === listener.port) ?? same[0];
    const canShare = isHttp(taken.protocol) && isHttp(listener.protocol) && taken.address === listener.address;
    const share = canShare ? ", or give each of the two `domains` of its own" : "";
    return [
      refused(
        `ports[${port === undefined ? 0 : spec.ports.indexOf(port)}]`,
        "port-in-use",
        `port ${describePort(listener)} is published by ${taken.service} of stack ${taken.stack}`,
        `Publish another port${share}, or remove ${taken.instance} first.`,
      ),
    ];
  });
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
function checkLoopback(spec: ServiceSpec): readonly Diagnostic[] {
  const { ports } = spec;
  if (listenings("", spec).every((each) => each.isPublished)) return [];
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
