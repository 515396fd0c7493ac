import { Field, isMap, type ComposeSource, type Origin, type Reading } from "./field.ts";

/** Gives the compose file at a path; undefined, with its problems noted, where it cannot be read. */
export type OpenSource = (at: Field, path: string) => ComposeSource | undefined;

/** Keys whose lists grow where one service extends another; lists under other keys are replaced. */
const growing = new Set(
  "ports expose volumes configs secrets dns dns_search dns_opt tmpfs env_file devices cap_add cap_drop security_opt group_add profiles external_links links extra_hosts volumes_from".split(
    " ",
  ),
);
/** Lists of `NAME=value` that mean the same as maps. */
const namedLists = new Set(["environment", "labels", "args", "sysctls", "annotations"]);

/** A service with all that `extends` brings. Nothing of what is needed elsewhere is brought twice. */
export function extendService(service: Field, reading: Reading, open: OpenSource, seen: readonly string[] = []): Field {
  const own = service.get("extends");
  if (own === undefined || !isMap(service.value)) return service;
  const source = service.origin.source;
  const file = own.isMap ? own.get("file")?.text : undefined;
  const name = own.isMap ? own.get("service")?.text : own.text;
  if (name === undefined) return service;
  const from = file === undefined ? source : open(own, file);
  const services = from?.yaml.root?.["services"];
  if (from === undefined) return service;
  const id = `${from.file} ${name}`;
  if (seen.includes(id)) {
    own.problem(
      `services extend each other: ${[...seen, id].map((each) => each.split(" ").at(-1)).join(" → ")}`,
      "Remove one `extends`.",
    );
    return service;
  }
  if (!isMap(services) || !isMap(services[name])) {
    own.problem(`there is no service ${name}${file === undefined ? "" : ` in ${file}`}`, "Correct the name.");
    return service;
  }
  const base = extendService(
    new Field(reading, { source: from, container: services, key: name }, `services.${name}`),
    reading,
    open,
    [...seen, id],
  );
  const merged = mergeMaps(reading, base, service);
  delete merged["extends"];
  const holder = { [String(service.key)]: merged };
  reading.origins.set(holder, new Map([[String(service.key), service.origin]]));
  return new Field(reading, { source, container: holder, key: service.key }, service.name);
}

type Merged = Record<string, unknown>;

function mergeMaps(reading: Reading, base: Field, own: Field): Merged {
  const merged: Merged = {};
  const origins = new Map<string, Origin>();
  for (const field of [...base.entries(), ...own.entries()]) {
    const key = String(field.key);
    const before = Object.hasOwn(merged, key) ? base.get(key) : undefined;
    merged[key] = before === undefined ? field.value : combine(reading, key, before, field);
    origins.set(key, field.origin);
  }
  reading.origins.set(merged, origins);
  return merged;
}

function combine(reading: Reading, key: string, base: Field, own: Field): unknown {
  if (namedLists.has(key) && (base.isList || own.isList)) return joinLists(reading, toItems(base), toItems(own), true);
  if (base.isMap && own.isMap) return mergeMaps(reading, base, own);
  if (key === "depends_on" && own.isList && base.isList) return joinLists(reading, base.items(), own.items(), false);
  if (!growing.has(key)) return own.value;
  return joinLists(reading, listOf(base), listOf(own), false);
}

function listOf(field: Field): readonly Field[] {
  return field.isList ? field.items() : [field];
}

interface Item {
  readonly value: unknown;
  readonly origin: Origin;
}

function toItems(field: Field): readonly Item[] {
  if (field.isList) return field.items();
  return field.entries().map((each) => ({
    value: each.value === null ? String(each.key) : `${String(each.key)}=${each.text ?? ""}`,
    origin: each.origin,
  }));
}

/** `byName`: of items `NAME=value` the later one of a name counts. Equal items stand there once. */
function joinLists(reading: Reading, base: readonly Item[], own: readonly Item[], byName: boolean): unknown[] {
  const items = new Map<string, Item>();
  for (const item of [...base, ...own]) {
    const text = typeof item.value === "string" ? item.value : JSON.stringify(item.value);
    items.set(byName ? (text.split("=")[0] ?? text) : text, item);
  }
  const list = [...items.values()].map(({ value }) => value);
  reading.origins.set(list, new Map([...items.values()].map(({ origin }, index) => [String(index), origin])));
  return list;
}
