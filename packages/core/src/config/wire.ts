import type { Diagnostic } from "../errors/diagnostic.ts";
import type { CommandSpec, ServiceSpec } from "../model/spec.ts";
import type { Stack, StackService } from "../model/stack.ts";
import type { ServiceAddress } from "../provider/requests.ts";
import { formatPath } from "./field-path.ts";
import { describeToken, replaceTokens } from "./wiring-token.ts";
import type { WiringToken } from "./wiring-token.ts";

/** A service on one of its providers, with the addresses that it sees from there. */
export interface WiredService {
  readonly name: string;
  readonly provider: string;
  readonly service: StackService;
}

export interface WiredStack {
  readonly services: readonly WiredService[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Where another service is reached, seen from a provider; or why there is no one address. */
export type AddressOf = (service: string, from: string) => ServiceAddress | { readonly problem: string } | undefined;

/**
 * Puts addresses in the place of `${service:NAME.…}`, for each instance. Where `address` knows none (its provider cannot be
 * reached), the service that asks for it is reported and keeps its expression.
 */
export function wireStack(stack: Stack, address: AddressOf): WiredStack {
  const diagnostics: Diagnostic[] = [];
  const known = new Map<string, ReturnType<AddressOf>>();
  const addressOf = (service: string, from: string): ReturnType<AddressOf> => {
    const key = `${service}@${from}`;
    if (!known.has(key)) known.set(key, address(service, from));
    return known.get(key);
  };
  const wire = (name: string, provider: string, service: StackService): WiredService => {
    const fill = (token: WiringToken): string => {
      const at = addressOf(token.service, provider);
      const problem = at !== undefined && "problem" in at ? at.problem : undefined;
      const found = at === undefined || "problem" in at ? undefined : valueOf(token, at);
      if (found !== undefined) return found;
      const field = formatPath(["services", name]);
      diagnostics.push({
        severity: "error",
        code: "wiring",
        summary: `the address for ${describeToken(token)} is not known${problem === undefined ? "" : `: ${problem}`}`,
        field,
        ...stack.locate(field),
      });
      return describeToken(token);
    };
    const isWired = (service.wires ?? []).length > 0 || wiresItself(service);
    return { name, provider, service: isWired ? { ...service, spec: wireSpec(service.spec, fill) } : service };
  };
  const services = Object.entries(stack.services).flatMap(([name, service]) =>
    service.providers.map((provider) => wire(name, provider, service)),
  );
  return { services, diagnostics };
}

function wiresItself({ spec }: StackService): boolean {
  return JSON.stringify([spec.env, spec.command, spec.entrypoint, spec.health]).includes("\\u0000service:");
}

function valueOf({ part, containerPort }: WiringToken, address: ServiceAddress): string | undefined {
  if (part === "host") return address.host;
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
