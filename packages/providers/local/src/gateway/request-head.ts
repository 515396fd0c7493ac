import type { IncomingMessage } from "node:http";

/** A request's head as a replica gets it, and what the gateway must know of it. */
export interface RequestHead {
  /** Request line and headers with the empty line after them, latin1. */
  readonly text: string;
  /** What chooses the service: the host of an absolute target, else the `Host` header, port included; empty without one. */
  readonly authority: string;
  readonly target: string;
  readonly body: "none" | "chunked" | "length";
  /** Of a body of kind `length`. */
  readonly bodyBytes: number;
  readonly expectsContinue: boolean;
}

/** A request that no replica shall see. */
export interface RefusedHead {
  readonly status: 400 | 501;
  readonly reason: string;
}

const absoluteTarget = /^https?:\/\/([^/?#]+)([^#]*)/i;
/** Never dropped, although `Connection` may name them: a client could hide them from the replica that way. */
const kept = new Set([
  "host",
  "content-length",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "cookie",
  "authorization",
]);

/**
 * Names keep their case, order and duplicates; what belongs to this connection alone (RFC 9110, 7.6.1) is left out, and
 * `X-Forwarded-*` say for whom the gateway asks. With `keepsUpgrade` the request goes on as one to switch protocols.
 */
export function requestHead(request: IncomingMessage, keepsUpgrade: boolean): RequestHead | RefusedHead {
  const { rawHeaders } = request;
  const dropped = connectionNames(rawHeaders);
  let target = request.url ?? "/";
  const absolute = target.charCodeAt(0) === 47 ? null : absoluteTarget.exec(target);
  let authority = absolute?.[1];
  if (absolute !== null) target = originForm(absolute[2] ?? "");
  let headers = authority === undefined ? "" : `Host: ${authority}\r\n`;
  let hostHeader: string | undefined;
  let forwardedFor = "";
  let hasProto = false;
  let hasForwardedHost = false;
  let bodyBytes = 0;
  let body: RequestHead["body"] = "none";
  let expectsContinue = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    const lower = name.toLowerCase();
    switch (lower) {
      case "host":
        if (hostHeader !== undefined) return { status: 400, reason: "two Host headers" };
        hostHeader = value;
        if (authority !== undefined) continue;
        break;
      case "connection":
      case "keep-alive":
      case "proxy-connection":
        continue;
      case "upgrade":
        if (!keepsUpgrade) continue;
        break;
      case "te":
        if (/\btrailers\b/i.test(value)) headers += "TE: trailers\r\nConnection: TE\r\n";
        continue;
      case "transfer-encoding":
        // Node's parser let only what ends in `chunked` through; any other coding would have to be understood here.
        if (body === "chunked" || value.toLowerCase() !== "chunked")
          return { status: 501, reason: "Transfer-Encoding other than chunked" };
        body = "chunked";
        continue;
      case "content-length":
        bodyBytes = Number(value);
        if (body === "none" && bodyBytes > 0) body = "length";
        break;
      case "expect":
        expectsContinue = value.toLowerCase() === "100-continue";
        break;
      case "x-forwarded-for":
        forwardedFor += `${value}, `;
        continue;
      case "x-forwarded-proto":
        hasProto = true;
        break;
      case "x-forwarded-host":
        hasForwardedHost = true;
        break;
    }
    if (dropped?.has(lower) === true && !kept.has(lower) && !(keepsUpgrade && lower === "upgrade")) continue;
    headers += `${name}: ${value}\r\n`;
  }
  authority ??= hostHeader ?? "";
  headers += `X-Forwarded-For: ${forwardedFor}${clientAddress(request)}\r\n`;
  if (!hasProto) headers += "X-Forwarded-Proto: http\r\n";
  if (!hasForwardedHost && authority !== "") headers += `X-Forwarded-Host: ${authority}\r\n`;
  if (body === "chunked") headers += "Transfer-Encoding: chunked\r\n";
  if (keepsUpgrade) headers += "Connection: Upgrade\r\n";
  return {
    text: `${request.method} ${target} HTTP/1.1\r\n${headers}\r\n`,
    authority,
    target,
    body,
    bodyBytes,
    expectsContinue,
  };
}

/** What `Connection` names, in lower case; undefined in the usual case that it names nothing but `keep-alive` or `close`. */
function connectionNames(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    const value = (rawHeaders[index + 1] ?? "").toLowerCase();
    if (value === "keep-alive" || value === "close") continue;
    names ??= new Set();
    for (const each of value.split(",")) names.add(each.trim());
  }
  return names;
}

function originForm(rest: string): string {
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function clientAddress(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? "unknown";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
