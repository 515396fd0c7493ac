import { isTree } from "./tree.ts";
import type { Marks, Tree } from "./tree.ts";

/** What pctl 1.1 dropped of one service, by the maps that held it: it never counts for its fingerprint. */
export type Dropped = ReadonlyMap<object, ReadonlySet<string>>;

export interface LegacyService {
  readonly dropped: Dropped;
  /** Fields that 1.1 ignored, relative to the service, e.g. `volumes[0].name`. */
  readonly ignored: readonly string[];
}

/**
 * Applies pctl 1.1's schema to a declared service, before anything is resolved, as 1.1 did: notes what it dropped, fills
 * in its two defaults of `health`. Undefined where 1.1 refused the service.
 */
export function applyLegacySchema(service: Tree, marks: Marks): LegacyService | undefined {
  const { registry, scale, health, volumes } = service;
  const own = (container: Tree, key: string): unknown =>
    marks.get(container, key)?.merged === true ? undefined : container[key];
  const reader = new LegacyReader(own);
  const fits =
    reader.has(service, ["image"], isText) &&
    reader.may(service, ["command"], isText) &&
    reader.may(
      service,
      ["env"],
      (env) =>
        isTree(env) &&
        Object.keys(env).every(
          (key) =>
            isText(env[key]) && marks.get(env, key)?.spelled === undefined && marks.get(env, key)?.merged !== true,
        ),
    ) &&
    reader.may(
      service,
      ["registry"],
      (value) =>
        isText(value) ||
        (isTree(value) && reader.has(value, ["url"], isText) && reader.may(value, ["username", "password"], isText)),
    ) &&
    reader.has(
      service,
      ["scale"],
      (value) =>
        isTree(value) && reader.has(value, ["replica"], isReplica) && reader.may(value, ["cpu", "memory"], isText),
    ) &&
    reader.may(
      service,
      ["ports"],
      (value) => Array.isArray(value) && value.every((port) => isText(port) || typeof port === "number"),
    ) &&
    reader.may(
      service,
      ["health"],
      (value) =>
        isTree(value) &&
        reader.has(value, ["interval"], isNumber) &&
        reader.has(value, ["command"], isText) &&
        reader.may(value, ["retries"], isNumber) &&
        reader.may(value, ["onfailure"], isOnFailure),
    ) &&
    reader.may(
      service,
      ["volumes"],
      (value) => Array.isArray(value) && value.every((each) => isTree(each) && reader.has(each, ["path"], isText)),
    );
  if (!fits) return undefined;

  const dropped = new Map<object, Set<string>>();
  const ignored: string[] = [];
  const drop = (container: unknown, known: readonly string[], at: string): void => {
    if (!isTree(container)) return;
    const names = Object.keys(container).filter(
      (key) => !known.includes(key) || marks.get(container, key)?.merged === true,
    );
    if (names.length > 0) dropped.set(container, new Set(names));
    ignored.push(...names.filter((name) => !name.startsWith("x-")).map((name) => `${at}${name}`));
  };
  drop(service, ["image", "registry", "command", "env", "scale", "ports", "health", "volumes", "provider"], "");
  drop(registry, ["url", "username", "password"], "registry.");
  drop(scale, ["replica", "cpu", "memory"], "scale.");
  drop(health, ["interval", "command", "retries", "onfailure"], "health.");
  if (Array.isArray(volumes)) volumes.forEach((volume, index) => drop(volume, ["path"], `volumes[${index}].`));
  if (isTree(health)) {
    fill(health, "retries", 3, marks);
    fill(health, "onfailure", "restart", marks);
  }
  return { dropped, ignored };
}

function fill(container: Tree, key: string, value: unknown, marks: Marks): void {
  if (container[key] !== undefined) return;
  container[key] = value;
  marks.set(container, key, { filled: true });
}

class LegacyReader {
  readonly #own: (container: Tree, key: string) => unknown;

  constructor(own: (container: Tree, key: string) => unknown) {
    this.#own = own;
  }

  has(container: Tree, keys: readonly string[], fits: (value: unknown) => boolean): boolean {
    return keys.every((key) => fits(this.#own(container, key)));
  }

  may(container: Tree, keys: readonly string[], fits: (value: unknown) => boolean): boolean {
    return keys.every((key) => {
      const value = this.#own(container, key);
      return value === undefined || fits(value);
    });
  }
}

const isText = (value: unknown): boolean => typeof value === "string";
const isNumber = (value: unknown): boolean => typeof value === "number";
const isOnFailure = (value: unknown): boolean => value === "restart" || value === "stop";

function isReplica(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 2 && isCount(value[0], 0) && isCount(value[1], 1);
  return isCount(value, 0);
}

function isCount(value: unknown, min: number): boolean {
  return Number.isInteger(value) && Number(value) >= min;
}
