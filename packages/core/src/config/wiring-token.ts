/** What stands in a spec until it is wired: the address of another service. NUL cannot stand in any value that a user writes. */
export interface WiringToken {
  readonly service: string;
  readonly part: "host" | "port" | "url";
  readonly containerPort?: number;
}

// eslint-disable-next-line no-control-regex -- NUL is what makes a token unlike anything written
const pattern = /\u0000service:([^\u0000]+)\u0000/g;

/** What a key such as `db.host` or `db.port.9090` asks for; undefined where that is no part of an address. */
export function tokenFor(key: string): WiringToken | undefined {
  const [, service, part, port] = /^(.+?)\.(host|port|url)(?:\.(\d+))?$/.exec(key) ?? [];
  if (service === undefined || (part !== "host" && part !== "port" && part !== "url")) return undefined;
  if (port === undefined) return { service, part };
  return part === "host" ? undefined : { service, part, containerPort: Number(port) };
}

export function writeToken(token: WiringToken): string {
  return `\u0000service:${JSON.stringify([token.service, token.part, token.containerPort ?? 0])}\u0000`;
}

export function readTokens(text: string): WiringToken[] {
  return hasToken(text) ? Array.from(text.matchAll(pattern), ([, json = ""]) => parseToken(json)) : [];
}

export function replaceTokens(text: string, replace: (token: WiringToken) => string): string {
  return text.includes("\u0000") ? text.replace(pattern, (_whole, json: string) => replace(parseToken(json))) : text;
}

export function hasToken(value: unknown): boolean {
  return typeof value === "string" && value.includes("\u0000service:");
}

/** For messages: `${service:db.host}`. */
export function describeToken({ service, part, containerPort }: WiringToken): string {
  return `\${service:${service}.${part}${containerPort === undefined ? "" : `.${containerPort}`}}`;
}

function parseToken(json: string): WiringToken {
  // Written by `writeToken` alone.
  const [service, part, containerPort] = JSON.parse(json) as [string, WiringToken["part"], number];
  return { service, part, ...(containerPort === 0 ? {} : { containerPort }) };
}
