import type { FieldPath } from "./field-path.ts";
import { anyOf, nearest } from "./nearest.ts";
import { eachEntry } from "./problems.ts";
import type { Problems, TreeEntry } from "./problems.ts";
import { isContainer, setAt, treeAt, unresolved } from "./tree.ts";
import type { Marks, Tree } from "./tree.ts";
import { describeToken, hasToken, readTokens } from "./wiring-token.ts";
import type { WiringToken } from "./wiring-token.ts";
import type { ServiceSpec } from "../model/spec.ts";

/** Secrets stand where nobody else reads them, addresses of services where they are filled in. */
export function checkPlacement(root: Tree, marks: Marks, problems: Problems): void {
  const services = new Set(Object.keys(treeAt(root, "services") ?? {}));
  for (const [name, value] of Object.entries(root)) {
    if (name === "custom" || name.startsWith("x-")) continue;
    eachEntry({ [name]: value }, (entry) => {
      const isTop = entry.path.length === 1;
      if (!isTop || !isContainer(value))
        checkEntry(isTop ? { ...entry, container: root } : entry, services, marks, problems);
    });
  }
}

function checkEntry(
  { container, key, path, value }: TreeEntry,
  services: ReadonlySet<string>,
  marks: Marks,
  problems: Problems,
): void {
  if (marks.get(container, key)?.secret === true && !maySecret(path)) {
    const summary = "a secret cannot stand here, where plans, process lists or images would show it";
    problems.add(path, { code: "secret-place", summary, hint: "Pass it by `env` or `secrets` of the service." });
  }
  if (!hasToken(value)) return;
  if (!mayWire(path)) {
    const summary = "the address of a service cannot stand here";
    const hint = "It can stand in env, command, entrypoint and health.command.";
    problems.add(path, { code: "wiring-place", summary, hint });
    setAt(container, key, unresolved);
  }
  for (const token of readTokens(String(value)).filter((each) => !services.has(each.service))) {
    const near = nearest(token.service, services);
    const hint = near === undefined ? `Services are ${anyOf([...services])}.` : `Did you mean ${near}?`;
    problems.add(path, { code: "unknown-service", summary: `${describeToken(token)} names no service`, hint });
  }
}

function maySecret(path: FieldPath): boolean {
  const [root, , field, inner] = path;
  if (root === "providers") return field === "options";
  if (root !== "services") return false;
  return (
    field === "env" ||
    field === "registry" ||
    field === "tls" ||
    (field === "provider" && inner === "options") ||
    path.length <= 2
  );
}

function mayWire(path: FieldPath): boolean {
  const [root, , field, inner] = path;
  if (root !== "services") return false;
  return (
    (field === "env" && path.length === 4) ||
    field === "command" ||
    field === "entrypoint" ||
    (field === "health" && inner === "command")
  );
}

/** A token that asks for a port which the other service does not have. */
export function checkWiredPorts(services: Readonly<Record<string, ServiceSpec>>, problems: Problems, root: Tree): void {
  const check = ({ path, value }: TreeEntry): void => {
    if (!hasToken(value) || !mayWire(path)) return;
    for (const token of readTokens(String(value))) {
      const other = Object.hasOwn(services, token.service) ? services[token.service] : undefined;
      const lack = other === undefined ? undefined : lackingPort(token, other);
      if (lack === undefined) continue;
      const hint = `Add it to services.${token.service}: ports: [{ containerPort: ${token.containerPort ?? 5432} }].`;
      problems.add(path, { code: "wiring", summary: `${describeToken(token)}: ${lack}`, hint });
    }
  };
  eachEntry(treeAt(root, "services") ?? {}, check, ["services"]);
}

function lackingPort({ service, part, containerPort }: WiringToken, other: ServiceSpec): string | undefined {
  const ports = other.ports.map((each) => each.containerPort);
  if (part === "host" || (containerPort === undefined ? ports.length > 0 : ports.includes(containerPort)))
    return undefined;
  if (ports.length === 0) return `${service} has no ports`;
  return `${service} has no port ${containerPort ?? ""}; it has ${anyOf(ports.map(String))}`;
}
