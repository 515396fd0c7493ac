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
  const url = request.url ?? "/";
  const absolute = url.charCodeAt(0) === 47 ? null : absoluteTarget.exec(url);
  const headers = new ForwardedHeaders(absolute?.[1], keepsUpgrade, connectionNames(request.rawHeaders));
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const refused = headers.take(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
    if (refused !== undefined) return refused;
  }
  const target = absolute === null ? url : originForm(absolute[2] ?? "");
  const { body, bodyBytes, expectsContinue } = headers;
  const text = `${request.method} ${target} HTTP/1.1\r\n${headers.end(clientAddress(request))}\r\n`;
  return { text, authority: headers.authority ?? "", target, body, bodyBytes, expectsContinue };
}

/** Headers as they go on, and what they say about the request. */
class ForwardedHeaders {
  authority: string | undefined;
  body: RequestHead["body"] = "none";
  bodyBytes = 0;
  expectsContinue = false;
  readonly #keepsUpgrade: boolean;
  readonly #dropped: ReadonlySet<string> | undefined;
  readonly #isAuthorityFixed: boolean;
  #hasHost = false;
  #hasProto = false;
  #hasForwardedHost = false;
  #forwardedFor = "";
  #text = "";

  constructor(authority: string | undefined, keepsUpgrade: boolean, dropped: ReadonlySet<string> | undefined) {
    this.authority = authority;
    this.#isAuthorityFixed = authority !== undefined;
    this.#keepsUpgrade = keepsUpgrade;
    this.#dropped = dropped;
    // The host of an absolute target takes the place of the header's (RFC 9112, 3.2.2).
    if (authority !== undefined) this.#text = `Host: ${authority}\r\n`;
  }

  take(name: string, value: string): RefusedHead | undefined {
    const lower = name.toLowerCase();
    switch (lower) {
      case "host":
        return this.#host(name, value);
      case "connection":
      case "keep-alive":
      case "proxy-connection":
        return undefined;
      case "upgrade":
        if (this.#keepsUpgrade) this.#text += `${name}: ${value}\r\n`;
        return undefined;
      case "te":
        if (/\btrailers\b/i.test(value)) this.#text += "TE: trailers\r\nConnection: TE\r\n";
        return undefined;
      case "transfer-encoding":
        return this.#transferEncoding(value);
      case "content-length":
        this.bodyBytes = Number(value);
        if (this.body === "none" && this.bodyBytes > 0) this.body = "length";
        break;
      case "expect":
        this.expectsContinue = value.toLowerCase() === "100-continue";
        break;
      case "x-forwarded-for":
        this.#forwardedFor += `${value}, `;
        return undefined;
      case "x-forwarded-proto":
        this.#hasProto = true;
        break;
      case "x-forwarded-host":
        this.#hasForwardedHost = true;
        break;
      default:
    }
    if (this.#dropped === undefined || !this.#dropped.has(lower) || kept.has(lower))
      this.#text += `${name}: ${value}\r\n`;
    return undefined;
  }

  end(client: string): string {
    let text = `${this.#text}X-Forwarded-For: ${this.#forwardedFor}${client}\r\n`;
    if (!this.#hasProto) text += "X-Forwarded-Proto: http\r\n";
    if (!this.#hasForwardedHost && this.authority !== undefined) text += `X-Forwarded-Host: ${this.authority}\r\n`;
    if (this.body === "chunked") text += "Transfer-Encoding: chunked\r\n";
    if (this.#keepsUpgrade) text += "Connection: Upgrade\r\n";
    return text;
  }

  #host(name: string, value: string): RefusedHead | undefined {
    if (this.#hasHost) return { status: 400, reason: "two Host headers" };
    this.#hasHost = true;
    if (this.#isAuthorityFixed) return undefined;
    this.authority = value;
    this.#text += `${name}: ${value}\r\n`;
    return undefined;
  }

  /** Node's parser let only what ends in `chunked` through; any other coding would have to be understood here. */
  #transferEncoding(value: string): RefusedHead | undefined {
    if (this.body === "chunked" || value.toLowerCase() !== "chunked") {
      return { status: 501, reason: "Transfer-Encoding other than chunked" };
    }
    this.body = "chunked";
    return undefined;
  }
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
