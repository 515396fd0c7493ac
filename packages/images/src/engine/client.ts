import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { Duplex, Readable } from "node:stream";
import pLimit from "p-limit";
import { describeEndpoint, type Endpoint } from "./endpoint.ts";
import { EngineError, isEngineError, silentEngine, unreachable } from "./errors.ts";
import { isLasting, isSlow } from "./lasting.ts";
import { requestByHttp, requestByTls } from "./node-http.ts";
import { requireAddress, type NetworkAddress } from "./reach.ts";
import { openTransport } from "./transport.ts";
import { chooseVersion, type EngineVersion } from "./version.ts";

export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Without the version: `/containers/json`. Names in it are escaped by `segment`. */
  readonly path: string;
  /** Objects are sent as JSON, as the engine wants its filters. */
  readonly query?: Readonly<Record<string, string | number | boolean | object | undefined>>;
  /** A stream is sent as it is, anything else as JSON. */
  readonly body?: Readable | object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One Docker Engine, by its API alone. Every method throws `EngineError` for what the engine refuses, and a `CtrlPlaneError` where it cannot be reached. */
export interface EngineClient {
  /** As `DOCKER_HOST` would name it. */
  readonly description: string;
  /** What answers, and the version of the API that all further calls speak. Asked once. */
  version(): Promise<EngineVersion>;
  /**
   * The whole answer as JSON; undefined where it is empty. Throws `UNAVAILABLE` where it does not come: after 60 s for what reads, after
   * 5 min for what writes, never for what lasts (`isLasting`).
   */
  json<T>(request: EngineRequest): Promise<T>;
  /** The answer's body, once its status is known to be good. */
  stream(request: EngineRequest): Promise<IncomingMessage>;
  /** The connection itself, for what speaks in both directions (`exec`, `attach`). What the engine sent first is still to be read from it. */
  upgrade(request: EngineRequest): Promise<Duplex>;
  /**
   * A connection to an address in the engine's own network, as from its host; it is open when this resolves. Absent where there is no way to it. Throws an error with
   * the code `ECONNREFUSED` where nothing listens, and UNSUPPORTED where the host's sshd forbids it. `signal` ends the attempt, not what it led to.
   */
  readonly reach?: (address: NetworkAddress, signal: AbortSignal) => Promise<Duplex>;
  close(): Promise<void>;
}

/** The first question, which a frozen engine does not answer. Connecting counts. */
const versionMs = 30_000;
const limits = {
  /** What only reads, and waits for nothing. */
  readMs: 60_000,
  /** The start of a container may first copy what its image has at the place of a volume. */
  writeMs: 300_000,
};

/** A name as one part of a path. */
export function segment(name: string): string {
  return encodeURIComponent(name);
}

/** Does no I/O yet. `limits`: how long an answer may take, for tests. */
export function connectEngine(endpoint: Endpoint, { readMs, writeMs } = limits): EngineClient {
  const description = describeEndpoint(endpoint);
  const transport = openTransport(endpoint);
  const { reach } = transport;
  const send = endpoint.kind === "tcp" && endpoint.tls !== undefined ? requestByTls : requestByHttp;
  const slow = pLimit(1);
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    // One is left for what is short, such as the renewal of a lease.
    slow.concurrency = transport.atOnce - 1;
    return slow(work);
  };
  let version: Promise<EngineVersion> | undefined;

  const agentFor = (request: EngineRequest, headers: Record<string, string>): Agent => {
    const isLong = "Upgrade" in headers || isStream(request.body) || isLasting(request);
    return isLong ? transport.lasting : transport.agent;
  };
  const open = async (request: EngineRequest, prefix: string, headers: Record<string, string>) => {
    const { method, body, signal } = request;
    const sent = send({
      ...transport.target,
      agent: agentFor(request, headers),
      method,
      path: `${prefix}${request.path}${queryOf(request.query)}`,
      headers: { ...transport.headers, ...contentOf(body), ...headers, ...request.headers },
      ...(signal === undefined ? {} : { signal }),
    });
    write(sent, body);
    return sent;
  };
  const prefixOf = async (): Promise<string> => `/v${(await client.version()).api}`;
  const answered = async (request: EngineRequest, prefix: string): Promise<IncomingMessage> => {
    for (;;) {
      const sent = await open(request, prefix, {});
      try {
        const response = await responseOf(sent, description);
        await requireGood(request, response);
        return response;
      } catch (error) {
        if (!isStale(sent, request, error)) throw error;
      }
    }
  };
  /** An engine that hangs is told as such, instead of waited for. */
  const within = async <T>(
    ms: number,
    request: EngineRequest,
    work: (request: EngineRequest) => Promise<T>,
  ): Promise<T> => {
    const late = AbortSignal.timeout(ms);
    const signal = request.signal === undefined ? late : AbortSignal.any([request.signal, late]);
    try {
      return await work({ ...request, signal });
    } catch (error) {
      throw late.aborted && request.signal?.aborted !== true ? silentEngine(description, ms) : error;
    }
  };
  const askVersion = (): Promise<EngineVersion> =>
    within(versionMs, { method: "GET", path: "/version" }, async (request) =>
      chooseVersion(JSON.parse(await text(await answered(request, "")))),
    );

  const client: EngineClient = {
    description,
    version() {
      version ??= askVersion().catch((error: unknown) => {
        // The next call may find it.
        version = undefined;
        throw error;
      });
      return version;
    },
    async json<T>(request: EngineRequest) {
      const prefix = await prefixOf();
      const whole = async (each: EngineRequest): Promise<T> => {
        const body = await bodyOf(await answered(each, prefix), description);
        // What the engine's API description promises for this path.
        return (body === "" ? undefined : JSON.parse(body)) as T;
      };
      if (isLasting(request)) return whole(request);
      const timely = (): Promise<T> => within(request.method === "GET" ? readMs : writeMs, request, whole);
      return isSlow(request) ? inTurn(timely) : timely();
    },
    stream: async (request) => answered(request, await prefixOf()),
    async upgrade(request) {
      const sent = await open(request, await prefixOf(), { Connection: "Upgrade", Upgrade: "tcp" });
      return upgraded(sent, request, description);
    },
    ...(reach === undefined
      ? {}
      : {
          async reach(address: NetworkAddress, signal: AbortSignal) {
            requireAddress(address);
            return reach(address, signal);
          },
        }),
    close: () => transport.close(),
  };
  return client;
}

function write(sent: ClientRequest, body: EngineRequest["body"]): void {
  if (body === undefined) sent.end();
  else if (isStream(body)) body.on("error", (error) => sent.destroy(error)).pipe(sent);
  else sent.end(JSON.stringify(body));
}

/**
 * A read that was sent over a connection that had been kept, and had ended: nobody answered, and it is sent again. Each kept connection
 * fails once, and a new one is none.
 */
function isStale(sent: ClientRequest, { method, signal }: EngineRequest, error: unknown): boolean {
  return method === "GET" && sent.reusedSocket && signal?.aborted !== true && !isEngineError(error);
}

function responseOf(sent: ClientRequest, description: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", (error) => reject(unreachable(error, description)));
  });
}

function upgraded(sent: ClientRequest, request: EngineRequest, description: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    sent.once("upgrade", (_response, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    sent.once("response", (response) => {
      requireGood(request, response).then(
        () => reject(new EngineError(500, `${request.path} did not switch protocols`)),
        reject,
      );
    });
    sent.once("error", (error) => reject(unreachable(error, description)));
  });
}

async function requireGood(request: EngineRequest, response: IncomingMessage): Promise<void> {
  const status = response.statusCode ?? 0;
  if (status < 400) return;
  const body = await text(response);
  throw new EngineError(status, messageIn(body) ?? `${request.method} ${request.path} was answered with ${status}`);
}

function messageIn(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) return String(parsed.message);
  } catch {
    // Older engines and proxies answer with plain text.
  }
  return body.trim() === "" ? undefined : body.trim();
}

async function bodyOf(response: IncomingMessage, description: string): Promise<string> {
  try {
    return await text(response);
  } catch (error) {
    throw unreachable(error, description);
  }
}

function contentOf(body: EngineRequest["body"]): Record<string, string> {
  if (body === undefined || isStream(body)) return {};
  return { "Content-Type": "application/json" };
}

function isStream(body: EngineRequest["body"]): body is Readable {
  return body !== undefined && "pipe" in body && typeof body.pipe === "function";
}

function queryOf(query: EngineRequest["query"]): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) words.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  return words.size === 0 ? "" : `?${words.toString()}`;
}
