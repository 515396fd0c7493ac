import leven from "leven";
import { isHostKey, isHostName, isPort, isUserName } from "@ctrlplane/images";
import type { Diagnostic } from "@ctrlplane/core/provider";

/** The options of a `docker` provider, as they stand in `pctl.yaml`. `checkOptions` says what is wrong with them. */
export interface DockerOptions {
  /** A host that is reached by SSH; `local`, as pctl 1.1 writes it, is this machine. */
  readonly host?: string;
  readonly user?: string;
  /** With `host` the private key of SSH, with `url` that of the client certificate: its file's path, or its text. */
  readonly key?: string;
  readonly sudo?: boolean;
  readonly port?: number;
  /** The host's public key, as `/etc/ssh/ssh_host_ed25519_key.pub` holds it there. */
  readonly hostKey?: string;
  /** Path of a Unix socket on this machine. */
  readonly socket?: string;
  /** `tcp://HOST:PORT`, or what else `DOCKER_HOST` may hold. */
  readonly url?: string;
  /** Of TLS with `url`: certificate of the authority that signed the engine's; a path or PEM text, like `cert`. */
  readonly ca?: string;
  /** Of TLS with `url`: our certificate, for an engine that asks for one. With `key`. */
  readonly cert?: string;
  /** A context of the docker CLI. */
  readonly context?: string;
  /** Image of the gateway; default `haproxy:lts`. */
  readonly gatewayImage?: string;
}

interface Rule {
  readonly accepts: (value: unknown) => boolean;
  /** What it must be, after `must be`. */
  readonly kind: string;
  readonly example: string;
}

const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "" && !value.includes("\0");
const textWhere =
  (test: (text: string) => boolean) =>
  (value: unknown): boolean =>
    typeof value === "string" && test(value);

const rules: Readonly<Record<keyof DockerOptions, Rule>> = {
  host: { accepts: textWhere(isHostName), kind: "the name or address of a host", example: "host: shop.example" },
  user: { accepts: textWhere(isUserName), kind: "the name of a user on the host", example: "user: deploy" },
  key: { accepts: isText, kind: "the path of a private key, or its text", example: "key: ~/.ssh/id_ed25519" },
  // A value of the environment is always text.
  sudo: { accepts: (value) => truthOf(value) !== undefined, kind: "true or false", example: "sudo: true" },
  port: { accepts: (value) => isPort(numberOf(value)), kind: "a port", example: "port: 22" },
  hostKey: { accepts: textWhere(isHostKey), kind: "a host's public key", example: 'hostKey: "ssh-ed25519 AAAA…"' },
  socket: { accepts: isText, kind: "the path of a socket", example: "socket: /run/user/1000/docker.sock" },
  url: { accepts: isText, kind: "the address of an engine", example: "url: tcp://10.0.0.5:2376" },
  ca: { accepts: isText, kind: "the path of a certificate, or its text", example: "ca: ./certs/ca.pem" },
  cert: { accepts: isText, kind: "the path of a certificate, or its text", example: "cert: ./certs/cert.pem" },
  context: { accepts: isText, kind: "the name of a context of the docker CLI", example: "context: production" },
  gatewayImage: { accepts: isText, kind: "the name of an image", example: "gatewayImage: haproxy:lts" },
};

/** Which options say where the engine is: one of them at most. */
const places = ["host", "url", "socket", "context"] as const;
/** What an option goes with, where it goes with one place alone. */
const belongs: Partial<Record<keyof DockerOptions, readonly (typeof places)[number][]>> = {
  port: ["host"],
  hostKey: ["host"],
  ca: ["url"],
  cert: ["url"],
};

/** Problems with the options of a `docker` provider. Pure: whether files and hosts exist is seen later. */
export function checkOptions(options: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  const isGiven = (name: keyof DockerOptions): boolean => given.some(([each]) => each === name);
  const named = places.filter((name) => isGiven(name) && !(name === "host" && options["host"] === "local"));
  return [
    ...given.flatMap(([name, value]) => checkOption(name, value)),
    ...named.slice(1).map((name) => conflict(name, named[0] ?? name)),
    ...given.flatMap(([name]) => checkPlace(name, named[0])),
    ...checkPair(isGiven),
  ];
}

function checkOption(name: string, value: unknown): Diagnostic[] {
  const field = `options.${name}`;
  if (!isKnown(name)) {
    const near = nearest(name);
    const hint = near === undefined ? `It has ${Object.keys(rules).join(", ")}.` : `Did you mean \`${near}\`?`;
    const summary = `\`docker\` has no option \`${name}\``;
    return [{ severity: "error", code: "unknown-option", field, summary, hint }];
  }
  const { accepts, kind, example } = rules[name];
  if (accepts(value)) return [];
  const summary = `\`${name}\` must be ${kind}`;
  return [{ severity: "error", code: "invalid-option", field, summary, hint: `For example \`${example}\`.` }];
}

function conflict(name: string, other: string): Diagnostic {
  return {
    severity: "error",
    code: "contradictory-options",
    field: `options.${name}`,
    summary: `\`${name}\` and \`${other}\` both say where the engine is`,
    hint: "Leave one of them out.",
  };
}

/** An option that has no meaning where the engine is. */
function checkPlace(name: string, place: (typeof places)[number] | undefined): Diagnostic[] {
  const field = `options.${name}`;
  const wanted = isKnown(name) ? belongs[name] : undefined;
  if (wanted !== undefined && !wanted.some((each) => each === place)) {
    const summary = `\`${name}\` has a meaning with \`${wanted.join("` or `")}\` only`;
    return [{ severity: "error", code: "contradictory-options", field, summary, hint: "Leave it out." }];
  }
  const isIgnored = (name === "key" && place !== "host" && place !== "url") || (name === "user" && place !== "host");
  if (!isIgnored && !(name === "sudo" && place !== "host")) return [];
  // A warning: pctl 1.1 takes them beside `host: local`.
  return [
    {
      severity: "warning",
      code: "unused-option",
      field,
      summary: `\`${name}\` has no effect without \`host\``,
      hint: "The engine's API is used directly: this user needs the right to it.",
    },
  ];
}

function checkPair(isGiven: (name: keyof DockerOptions) => boolean): Diagnostic[] {
  if (!isGiven("url") || isGiven("cert") === isGiven("key")) return [];
  const [has, lacks] = isGiven("cert") ? ["cert", "key"] : ["key", "cert"];
  const summary = `\`${has}\` is of no use without \`${lacks}\``;
  const hint = "A client certificate and its private key go together.";
  return [{ severity: "error", code: "missing-option", field: `options.${has}`, summary, hint }];
}

/** The options, numbers and truth values out of text as well. They have passed `checkOptions`. */
export function readOptions(options: Readonly<Record<string, unknown>>): DockerOptions {
  const read = Object.entries(options).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined || value === null) return [];
    if (name === "sudo") return [[name, truthOf(value)]];
    return [[name, name === "port" ? numberOf(value) : value]];
  });
  // Each value was accepted by its rule.
  return Object.fromEntries(read) as DockerOptions;
}

function isKnown(name: string): name is keyof DockerOptions {
  return Object.hasOwn(rules, name);
}

function nearest(name: string): string | undefined {
  const distance = (each: string): number => leven(name.toLowerCase(), each.toLowerCase());
  const [best] = Object.keys(rules).toSorted((a, b) => distance(a) - distance(b));
  return best !== undefined && distance(best) <= Math.max(2, name.length / 3) ? best : undefined;
}

function truthOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : undefined;
}

function numberOf(value: unknown): unknown {
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
}
