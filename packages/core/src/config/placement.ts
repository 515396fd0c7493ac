import { canonicalJson } from "../model/hash.ts";
import type { FieldPath } from "./field-path.ts";
import { anyOf, nearest } from "./nearest.ts";
import { entries } from "./problems.ts";
import type { Problems } from "./problems.ts";
import { isTree, setAt, unresolved } from "./tree.ts";
import type { Marks, Tree } from "./tree.ts";
import { describeToken, hasToken, readTokens } from "./wiring-token.ts";
import type { ServiceSpec } from "../model/spec.ts";

/** Secrets stand where nobody else reads them, addresses of services where they are filled in. */
export function checkPlacement(root: Tree, marks: Marks, problems: Problems): void {
  const services = isTree(root["services"]) ? root["services"] : {};
  for (const { container, key, path, value } of entries(root)) {
    if (path[0] === "custom" || String(path[0]).startsWith("x-")) continue;
    if (marks.get(container, key)?.secret === true && !maySecret(path)) {
      problems.add(path, {
        code: "secret-place",
        summary: "a secret cannot stand here, where plans, process lists or images would show it",
        hint: "Pass it by `env` or `secrets` of the service.",
      });
    }
    if (!hasToken(value)) continue;
    if (!mayWire(path)) {
      setAt(container, key, unresolved);
      problems.add(path, {
        code: "wiring-place",
        summary: "the address of a service cannot stand here",
        hint: "It can stand in env, command, entrypoint and health.command.",
      });
    }
    for (const token of readTokens(value)) {
      if (Object.hasOwn(services, token.service)) continue;
      const known = Object.keys(services);
      const near = nearest(token.service, known);
      problems.add(path, {
        code: "unknown-service",
        summary: `${describeToken(token)} names no service`,
        hint: near === undefined ? `Services are ${anyOf(known)}.` : `Did you mean ${near}?`,
      });
    }
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
  const asked = new Set<string>();
  for (const { path, value } of entries(root)) {
    if (!mayWire(path) || !hasToken(value)) continue;
    for (const token of readTokens(value)) {
      const other = Object.hasOwn(services, token.service) ? services[token.service] : undefined;
      if (other === undefined || token.part === "host" || asked.has(canonicalJson([path, token]))) continue;
      asked.add(canonicalJson([path, token]));
      const ports = other.ports.map((each) => each.containerPort);
      if (token.containerPort === undefined ? ports.length > 0 : ports.includes(token.containerPort)) continue;
      const what =
        ports.length === 0
          ? `${token.service} has no ports`
          : `${token.service} has no port ${token.containerPort ?? ""}; it has ${anyOf(ports.map(String))}`;
      problems.add(path, {
        code: "wiring",
        summary: `${describeToken(token)}: ${what}`,
        hint: `Add it to services.${token.service}: ports: [{ containerPort: ${token.containerPort ?? 5432} }].`,
      });
    }
  }
}
