import type { ServiceSpec } from "../model/spec.ts";
import type { StackService } from "../model/stack.ts";
import { readTokens } from "./wiring-token.ts";

/** Names of the services that must pass their gate before this one starts: what it `needs`, and whose address it uses. */
export function dependencies(service: Pick<StackService, "spec" | "wires">): readonly string[] {
  return [...new Set([...Object.keys(service.spec.needs), ...(service.wires ?? [])])];
}

/** Names of other services whose address stands in this spec, which is not wired yet. */
export function wiredServices(spec: ServiceSpec): readonly string[] {
  const found = new Set<string>();
  for (const text of wirableTexts(spec))
    for (const { service } of readTokens(text)) if (service !== spec.service) found.add(service);
  return [...found];
}

function* wirableTexts(spec: ServiceSpec): Generator<string> {
  yield* Object.values(spec.env);
  yield* spec.entrypoint ?? [];
  const { probe } = spec.health ?? {};
  for (const command of [spec.command, probe?.kind === "command" ? probe.command : undefined]) {
    if (command === undefined) continue;
    if ("shell" in command) yield command.shell;
    else yield* command.args;
  }
}

/** Circles among services, each once, beginning with the service that stands first: `[web, db, web]`. */
export function findCycles(services: Readonly<Record<string, readonly string[]>>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const open = new Set<string>();
  const walk = (name: string, trail: string[]): void => {
    if (open.has(name)) {
      cycles.push([...trail.slice(trail.indexOf(name)), name]);
      return;
    }
    if (done.has(name)) return;
    trail.push(name);
    open.add(name);
    for (const next of services[name] ?? []) if (Object.hasOwn(services, next)) walk(next, trail);
    trail.pop();
    open.delete(name);
    done.add(name);
  };
  for (const name of Object.keys(services)) walk(name, []);
  return cycles;
}
