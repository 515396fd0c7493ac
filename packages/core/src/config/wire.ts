import type { Diagnostic } from "../errors/diagnostic.ts";
import type { CommandSpec, ServiceSpec } from "../model/spec.ts";
import type { Stack, StackService } from "../model/stack.ts";
import type { ServiceAddress } from "../provider/requests.ts";
import { formatPath } from "./field-path.ts";
import { describeToken, replaceTokens } from "./wiring-token.ts";
import type { WiringToken } from "./wiring-token.ts";

export interface WiredStack {
  readonly stack: Stack;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Puts addresses in the place of `${service:NAME.…}`. Where `address` knows none (its provider cannot be reached), the
 * service that asks for it is reported and keeps its expression.
 */
export function wireStack(stack: Stack, address: (service: string) => ServiceAddress | undefined): WiredStack {
  const diagnostics: Diagnostic[] = [];
  const known = new Map<string, ServiceAddress | undefined>();
  const addressOf = (service: string): ServiceAddress | undefined => {
    if (!known.has(service)) known.set(service, address(service));
    return known.get(service);
  };
  const services = Object.entries(stack.services).map(([name, service]): [string, StackService] => {
    const fill = (token: WiringToken): string => {
      const found = valueOf(token, addressOf(token.service));
      if (found !== undefined) return found;
      const field = formatPath(["services", name]);
      diagnostics.push({
        severity: "error",
        code: "wiring",
        summary: `the address for ${describeToken(token)} is not known`,
        field,
        ...stack.locate(field),
      });
      return describeToken(token);
    };
    return [
      name,
      (service.wires ?? []).length === 0 && !wiresItself(service)
        ? service
        : { ...service, spec: wireSpec(service.spec, fill) },
    ];
  });
  return { stack: { ...stack, services: Object.fromEntries(services) }, diagnostics };
}

function wiresItself({ spec }: StackService): boolean {
  return JSON.stringify([spec.env, spec.command, spec.entrypoint, spec.health]).includes("\\u0000service:");
}

function valueOf({ part, containerPort }: WiringToken, address: ServiceAddress | undefined): string | undefined {
  if (address === undefined || part === "host") return address?.host;
  const port =
    containerPort === undefined ? address.ports[0] : address.ports.find((each) => each.containerPort === containerPort);
  if (port === undefined) return undefined;
  return part === "url" ? port.url : String(port.port);
}

function wireSpec(spec: ServiceSpec, fill: (token: WiringToken) => string): ServiceSpec {
  const text = (value: string): string => replaceTokens(value, fill);
  const command = (value: CommandSpec): CommandSpec =>
    "shell" in value ? { shell: text(value.shell) } : { args: value.args.map(text) };
  const { health } = spec;
  return {
    ...spec,
    env: Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, text(value)])),
    ...(spec.command === undefined ? {} : { command: command(spec.command) }),
    ...(spec.entrypoint === undefined ? {} : { entrypoint: spec.entrypoint.map(text) }),
    ...(health?.probe.kind === "command"
      ? { health: { ...health, probe: { kind: "command", command: command(health.probe.command) } } }
      : {}),
  };
}
