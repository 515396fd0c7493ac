/** The head of a response as the replica sent it. */
export interface ResponseHead {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value …, in the replica's case and order. */
  readonly rawHeaders: string[];
  /** Whether the connection can carry another request after this response. */
  readonly isPersistent: boolean;
  /** What the replica announced by `Keep-Alive: timeout=`. */
  readonly keepAliveMs: number | undefined;
  /** Values of `Connection` in lower case, or empty. */
  readonly connection: string;
  readonly framing:
    { readonly kind: "none" | "chunked" | "until-close" } | { readonly kind: "length"; readonly bytes: number };
}

/** Gets a response in pieces. No call follows `responseEnd` or `responseBroken`. */
export interface ResponseSink {
  /** 1xx, apart from 101. */
  informationHead(head: ResponseHead): void;
  responseHead(head: ResponseHead): void;
  /** 101: what follows is no HTTP any more; `rest` are its first bytes. */
  switchedProtocols(head: ResponseHead, rest: Buffer): void;
  responseBody(chunk: Buffer): void;
  /** `rest` counts bytes after the response: a replica that sends them speaks out of turn. */
  responseEnd(rawTrailers: readonly string[], rest: number): void;
  responseBroken(reason: string): void;
}

const headLimit = 256 * 1024;
const headEnd = Buffer.from("\r\n\r\n");
const noTrailers: readonly string[] = [];
const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/;
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Everything but tab, printable ASCII and bytes above it; line ends are looked at by themselves.
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;

type Reading = "head" | "length" | "until-close" | "chunk-size" | "chunk" | "chunk-end" | "trailers" | "done";

/**
 * Reads HTTP/1.x responses of one connection, one at a time, as strictly as Node's own parser reads requests: a response whose end
 * could be understood in two ways is broken.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #reading: Reading = "done";
  #isHeadRequest = false;
  #left = 0;
  #held: Buffer | undefined;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** A request was sent; its response follows. */
  expect(method: string): void {
    this.#reading = "head";
    this.#isHeadRequest = method === "HEAD";
    this.#held = undefined;
  }

  push(bytes: Buffer): void {
    let chunk = bytes;
    if (this.#held !== undefined) {
      chunk = Buffer.concat([this.#held, bytes]);
      this.#held = undefined;
    }
    let at = 0;
    while (at >= 0) at = this.#step(chunk, at);
  }

  /** The replica closed its side. */
  eof(): void {
    if (this.#reading === "until-close") this.#end(noTrailers, 0);
    else this.#break("connection closed before the end of the response");
  }

  /** Reads on at `at`; returns where to go on, or -1 when more bytes are needed or nothing more is expected. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#reading) {
      case "head":
        return this.#head(chunk, at);
      case "length":
      case "chunk":
        return this.#counted(chunk, at);
      case "until-close":
        if (at < chunk.length) this.#sink.responseBody(chunk.subarray(at));
        return -1;
      case "chunk-size":
        return this.#chunkSize(chunk, at);
      case "chunk-end":
        if (chunk.length - at < 2) return this.#hold(chunk, at);
        if (chunk[at] !== 13 || chunk[at + 1] !== 10) return this.#break("chunk without its end");
        this.#reading = "chunk-size";
        return at + 2;
      case "trailers":
        return this.#trailers(chunk, at);
      case "done":
        return -1;
    }
  }

  #hold(chunk: Buffer, at: number): number {
    if (at < chunk.length) this.#held = at === 0 ? chunk : chunk.subarray(at);
    return -1;
  }

  #break(reason: string): number {
    if (this.#reading === "done") return -1;
    this.#reading = "done";
    this.#sink.responseBroken(reason);
    return -1;
  }

  #end(rawTrailers: readonly string[], rest: number): number {
    this.#reading = "done";
    this.#sink.responseEnd(rawTrailers, rest);
    return -1;
  }

  #head(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(headEnd, at);
    if (end < 0) return chunk.length - at > headLimit ? this.#break("head over 256 kB") : this.#hold(chunk, at);
    const head = parseHead(chunk.toString("latin1", at, end), this.#isHeadRequest);
    if (typeof head === "string") return this.#break(head);
    const next = end + 4;
    if (head.status === 101) {
      this.#reading = "done";
      this.#sink.switchedProtocols(head, chunk.subarray(next));
      return -1;
    }
    if (head.status < 200) {
      this.#sink.informationHead(head);
      return next;
    }
    const framing = head.framing;
    this.#reading = framing.kind === "length" ? "length" : framing.kind === "chunked" ? "chunk-size" : "until-close";
    if (framing.kind === "length") this.#left = framing.bytes;
    this.#sink.responseHead(head);
    if (framing.kind === "none" || (framing.kind === "length" && framing.bytes === 0))
      return this.#end(noTrailers, chunk.length - next);
    return next;
  }

  #counted(chunk: Buffer, at: number): number {
    const available = chunk.length - at;
    if (available === 0) return -1;
    const taken = Math.min(available, this.#left);
    this.#left -= taken;
    this.#sink.responseBody(at === 0 && taken === chunk.length ? chunk : chunk.subarray(at, at + taken));
    if (this.#left > 0) return -1;
    if (this.#reading === "length") return this.#end(noTrailers, available - taken);
    this.#reading = "chunk-end";
    return at + taken;
  }

  #chunkSize(chunk: Buffer, at: number): number {
    const end = chunk.indexOf("\r\n", at);
    if (end < 0) return chunk.length - at > 4096 ? this.#break("chunk size over 4 kB") : this.#hold(chunk, at);
    // Extensions may follow a semicolon; nobody here knows any.
    const digits = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;[^\r\n]*)?$/.exec(chunk.toString("latin1", at, end))?.[1];
    if (digits === undefined) return this.#break("chunk size is no number");
    this.#left = Number.parseInt(digits, 16);
    this.#reading = this.#left === 0 ? "trailers" : "chunk";
    return end + 2;
  }

  #trailers(chunk: Buffer, at: number): number {
    if (chunk.length - at >= 2 && chunk[at] === 13 && chunk[at + 1] === 10)
      return this.#end(noTrailers, chunk.length - at - 2);
    const end = chunk.indexOf(headEnd, at);
    if (end < 0) return chunk.length - at > headLimit ? this.#break("trailers over 256 kB") : this.#hold(chunk, at);
    const fields = parseFields(chunk.toString("latin1", at, end));
    if (fields === undefined) return this.#break("malformed trailer");
    return this.#end(fields, chunk.length - end - 4);
  }
}

function parseFields(text: string, from = 0): string[] | undefined {
  const fields: string[] = [];
  let at = from;
  while (at < text.length) {
    let end = text.indexOf("\r\n", at);
    if (end < 0) end = text.length;
    const colon = text.indexOf(":", at);
    if (colon < 0 || colon > end) return undefined;
    const name = text.slice(at, colon);
    if (!fieldName.test(name)) return undefined;
    // The usual single blank is cut by hand: it is most of all headers.
    const start = text.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1;
    fields.push(name, trimBlanks(text, start, end));
    at = end + 2;
  }
  return fields;
}

function trimBlanks(text: string, start: number, end: number): string {
  let first = start;
  let last = end;
  while (first < last && isBlank(text.charCodeAt(first))) first += 1;
  while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1;
  return text.slice(first, last);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** The head, or what is wrong with it. */
function parseHead(text: string, isHeadRequest: boolean): ResponseHead | string {
  if (forbidden.test(text)) return "control character in the head";
  const lineEnd = text.indexOf("\r\n");
  const line = statusLine.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
  if (line === null) return "no status line";
  const rawHeaders = lineEnd < 0 ? [] : parseFields(text, lineEnd + 2);
  if (rawHeaders === undefined) return "malformed header";
  const meaning = readMeaning(rawHeaders);
  if (typeof meaning === "string") return meaning;
  const { connection, keepAliveMs } = meaning;
  const status = Number(line[2]);
  const hasBody = !isHeadRequest && status >= 200 && status !== 204 && status !== 304;
  const framing = hasBody ? framingOf(meaning) : noBody;
  const staysByItself = line[1] === "1";
  const isKept = staysByItself ? !hasToken(connection, "close") : hasToken(connection, "keep-alive");
  const isPersistent = isKept && framing.kind !== "until-close";
  return { status, statusText: line[3] ?? "", rawHeaders, isPersistent, keepAliveMs, connection, framing };
}

/** What headers say about the message and its connection. */
interface Meaning {
  length: number | undefined;
  isChunked: boolean;
  /** In lower case; several headers joined by commas. */
  connection: string;
  keepAliveMs: number | undefined;
}

const noBody: ResponseHead["framing"] = { kind: "none" };

function framingOf({ isChunked, length }: Meaning): ResponseHead["framing"] {
  if (isChunked) return { kind: "chunked" };
  return length === undefined ? { kind: "until-close" } : { kind: "length", bytes: length };
}

/** Or what is wrong with them. */
function readMeaning(rawHeaders: readonly string[]): Meaning | string {
  const meaning: Meaning = { length: undefined, isChunked: false, connection: "", keepAliveMs: undefined };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    // Only names of these lengths matter; most headers are told apart without lower-casing them.
    if (name.length !== 10 && name.length !== 14 && name.length !== 17) continue;
    const problem = readHeader(name.toLowerCase(), rawHeaders[index + 1] ?? "", meaning);
    if (problem !== undefined) return problem;
  }
  if (meaning.isChunked && meaning.length !== undefined) return "both Transfer-Encoding and Content-Length";
  return meaning;
}

function readHeader(name: string, value: string, meaning: Meaning): string | undefined {
  switch (name) {
    case "content-length":
      if (!/^\d{1,15}$/.test(value)) return "Content-Length is no number";
      if (meaning.length !== undefined && meaning.length !== Number(value)) return "two different Content-Lengths";
      meaning.length = Number(value);
      return undefined;
    case "transfer-encoding":
      if (meaning.isChunked || value.toLowerCase() !== "chunked") return "Transfer-Encoding other than chunked";
      meaning.isChunked = true;
      return undefined;
    case "connection":
      meaning.connection += `${meaning.connection === "" ? "" : ","}${value.toLowerCase()}`;
      return undefined;
    case "keep-alive": {
      const seconds = /(?:^|[,; ])timeout=(\d{1,6})/i.exec(value)?.[1];
      if (seconds !== undefined) meaning.keepAliveMs = Number(seconds) * 1000;
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Whether a comma-separated list in lower case has the word. */
export function hasToken(list: string, token: string): boolean {
  return list === token || list.split(",").some((each) => each.trim() === token);
}
