import { isIP } from "node:net";
import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import type { Template } from "./interpolation.ts";
import { interpolate } from "./interpolation.ts";
import { templateOf, valueNow, writePlain } from "./variables.ts";

/** What `ports` has of one: a text as `8080:3000/udp`, or a map. */
interface Declared {
  readonly address?: string;
  readonly host?: string;
  readonly container: string;
  readonly protocol: "tcp" | "udp";
}

export function translatePorts(field: Field, draft: Draft): void {
  for (const item of field.items()) {
    if (item.isMap) addLong(item, draft);
    else addShort(item, draft);
  }
}

/** `expose`: reachable by others. Those that are published already are. */
export function translateExpose(field: Field, draft: Draft): void {
  for (const item of field.items()) {
    const template = templateOf(item);
    if (template === undefined) continue;
    const [, range = "", protocol] =
      /^([\d-]+)(?:\/(tcp|udp))?$/.exec(valueNow(template, draft.around.variables)) ?? [];
    const ports = expandRange(range);
    if (ports === undefined) item.problem(`${JSON.stringify(item.value)} is no port`, "Write 3000 or 3000-3005.");
    else for (const port of ports) addContainerPort(draft, port, protocol === "udp" ? "udp" : "tcp");
  }
}

function addContainerPort(draft: Draft, containerPort: number, protocol: "tcp" | "udp"): void {
  const isThere = draft.list("ports").some((each) => {
    if (typeof each !== "string") return JSON.stringify(each).includes(`"containerPort":${containerPort}`);
    return new RegExp(`(^|:)${containerPort}(/|$)`).test(each) && each.endsWith("/udp") === (protocol === "udp");
  });
  if (!isThere) draft.add("ports", { containerPort, ...(protocol === "udp" ? { protocol } : {}) });
}

function addShort(item: Field, draft: Draft): void {
  const template = templateOf(item);
  if (template === undefined) return;
  const { variables } = draft.around;
  const parts = splitAt(template, ":");
  const [container = [], host, ...address] = parts.toReversed();
  const hasVariables = template.some((part) => typeof part !== "string");
  if (hasVariables && parts.every((part) => isSingle(part))) return addText(item, template, parts.length, draft);
  const now = (part: Template): string => valueNow(part, variables);
  const [, numbers = "", protocol = "tcp"] = /^([^/]*)(?:\/(\w+))?$/.exec(now(container)) ?? [];
  if (protocol !== "tcp" && protocol !== "udp") return refuseProtocol(item, protocol, draft);
  const ip = address
    .toReversed()
    .map(now)
    .join(":")
    .replace(/^\[(.*)\]$/, "$1");
  addExpanded(item, draft, {
    ...(ip === "" ? {} : { address: ip }),
    ...(host === undefined || now(host) === "" ? {} : { host: now(host) }),
    container: numbers,
    protocol,
  });
}

/** Variables stay variables where each part is one port. */
function addText(item: Field, template: Template, parts: number, draft: Draft): void {
  const text = writePlain(template, draft.around.variables);
  if (parts > 1) return draft.add("ports", text);
  draft.add("ports", { containerPort: text.replace(/\/(tcp|udp)$/, "") });
  randomPort(item, draft, text);
}

/** Neither a range nor anything that has to be looked into. */
function isSingle(part: Template): boolean {
  return (
    part.every((each) => typeof each !== "string" || /^(\[?[\w.]*\]?|\d*(\/(tcp|udp))?)$/.test(each)) && part.length > 0
  );
}

function splitAt(template: Template, letter: string): Template[] {
  const parts: (string | Template[number])[][] = [[]];
  let brackets = 0;
  for (const each of template) {
    if (typeof each !== "string") {
      parts.at(-1)?.push(each);
      continue;
    }
    let literal = "";
    for (const character of each) {
      if (character === "[") brackets++;
      if (character === "]") brackets--;
      if (character !== letter || brackets > 0) {
        literal += character;
        continue;
      }
      if (literal !== "") parts.at(-1)?.push(literal);
      literal = "";
      parts.push([]);
    }
    if (literal !== "") parts.at(-1)?.push(literal);
  }
  return parts;
}

function addLong(item: Field, draft: Draft): void {
  const { variables } = draft.around;
  const text = (key: string): string | undefined => {
    const template = item.get(key) === undefined ? undefined : templateOf(item.get(key) ?? item);
    return template === undefined
      ? undefined
      : interpolate(template, (name) => variables.env[name] ?? variables.dotEnv[name]);
  };
  const [target, published, address, protocol = "tcp"] = [
    text("target"),
    text("published"),
    text("host_ip"),
    text("protocol"),
  ];
  if (target === undefined) return item.problem("a port needs its `target`", "Write { target: 80, published: 8080 }.");
  if (protocol !== "tcp" && protocol !== "udp") return refuseProtocol(item, protocol, draft);
  addExpanded(item, draft, {
    container: target,
    protocol,
    ...(published === undefined || published === "" ? {} : { host: published }),
    ...(address === undefined || address === "" ? {} : { address }),
  });
  if (text("mode") === "host")
    draft.differs(item, "`mode: host` is what every port does here", "Nothing is to be done.");
}

function refuseProtocol(item: Field, protocol: string, draft: Draft): void {
  draft.leave(item, `the port's protocol is ${protocol}`, "Only TCP and UDP are published.");
}

function addExpanded(item: Field, draft: Draft, { address, host, container, protocol }: Declared): void {
  const containers = expandRange(container);
  const hosts = host === undefined ? undefined : expandRange(host);
  if (containers === undefined || (host !== undefined && hosts === undefined))
    return item.problem(
      `${JSON.stringify(item.value)} is no port`,
      'Write "8080:3000", "127.0.0.1:8080:3000", "3000-3005:3000-3005" or "53:53/udp".',
    );
  if (address !== undefined && isIP(address) === 0)
    return item.problem(`${address} is no IP address`, "Write an address of the host, e.g. 127.0.0.1:8080:3000.");
  if (hosts === undefined) {
    for (const containerPort of containers) addContainerPort(draft, containerPort, protocol);
    return randomPort(item, draft, String(containers[0]));
  }
  if (containers.length > 1 && hosts.length !== containers.length)
    return item.problem(`${host} and ${container} are ranges of different lengths`, "Give both as many ports.");
  if (containers.length === 1 && hosts.length > 1)
    draft.differs(
      item,
      `compose takes the first free port of ${host}; a host port is one number here, ${hosts[0]}`,
      "Replicas share it: a gateway stands before them.",
    );
  for (const [index, containerPort] of containers.entries()) {
    const ip = address === undefined ? "" : `${address.includes(":") ? `[${address}]` : address}:`;
    draft.add("ports", `${ip}${hosts[index] ?? 0}:${containerPort}${protocol === "udp" ? "/udp" : ""}`);
  }
}

function randomPort(item: Field, draft: Draft, port: string): void {
  draft.differs(
    item,
    "compose publishes this port at one that is free by chance; here only other services reach it",
    `To publish it write a host port: "${port}:${port}".`,
  );
}

/** `80`, `80-82`; undefined for what is no port or ends before it begins. */
function expandRange(text: string): number[] | undefined {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text.trim()) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || first < 1 || last > 65_535 || last < first || last - first > 1000) return undefined;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
