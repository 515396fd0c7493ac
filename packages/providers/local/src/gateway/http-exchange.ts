import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Balancer } from "./balancer.ts";
import { RequestBody } from "./request-body.ts";
import { requestHead, type RequestHead } from "./request-head.ts";
import { endToEndHeaders, headText } from "./response-headers.ts";
import type { ResponseHead } from "./response-parser.ts";
import { hold, type ServingEntrance } from "./serving-entrance.ts";
import type { InstanceTraffic } from "./traffic.ts";
import type { ExchangeFailure, ExchangeSink, UpstreamConnection } from "./upstream-connection.ts";
import type { OpenWork, Upstream } from "./upstream.ts";

/** A client that waits for `100 Continue` gets it from the gateway after this time, for replicas that know no `Expect`. */
const continueAfterMs = 1000;

const repeatable = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** One request of a client and its answer, by way of one replica, or of another where the first could not be asked. */
export class HttpExchange implements ExchangeSink, OpenWork {
  readonly #entrance: ServingEntrance;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #method: string;
  readonly #isRepeatable: boolean;
  readonly #startedAt = performance.now();
  #head: RequestHead | undefined;
  #body: RequestBody | undefined;
  #traffic: InstanceTraffic | undefined;
  #upstream: Upstream | undefined;
  #connection: UpstreamConnection | undefined;
  #tried: Upstream[] = [];
  #lastFailure: string | undefined;
  #isKeptAllowed = true;
  #timer: NodeJS.Timeout | undefined;
  #bodyLeft = -1;
  #isHeadWaiting = false;
  #isOver = false;

  constructor(entrance: ServingEntrance, request: IncomingMessage, response: ServerResponse) {
    this.#entrance = entrance;
    this.#request = request;
    this.#response = response;
    this.#method = request.method ?? "GET";
    this.#isRepeatable = repeatable.has(this.#method);
  }

  start(): void {
    this.#entrance.requests += 1;
    const head = requestHead(this.#request, false);
    if ("reason" in head) {
      this.#response.shouldKeepAlive = false;
      this.#refuse(head.status, head.reason);
      return;
    }
    this.#head = head;
    if (head.body !== "none") this.#body = new RequestBody(this.#request, head, this.#isRepeatable);
    this.#response.once("close", this.#onClientGone);
    this.#attempt(head);
  }

  /** The drain's time is over. */
  cut(): void {
    this.#leaveUpstream()?.abandon();
    if (this.#response.headersSent) this.#abort();
    else this.#refuse(502, "the replica was stopped before it answered");
  }

  #attempt(head: RequestHead): void {
    const balancer = this.#entrance.routes.find(head.authority, head.target);
    if (balancer === undefined) {
      this.#refuse(404, head.authority === "" ? "no service answers here" : `no service answers for ${head.authority}`);
      return;
    }
    // Once, however often it is tried.
    if (this.#traffic === undefined) balancer.traffic.requests += 1;
    this.#traffic ??= balancer.traffic;
    const upstream = balancer.choose(this.#tried);
    if (upstream === undefined) {
      this.#hold(head, balancer);
      return;
    }
    this.#upstream = upstream;
    upstream.began(this);
    const connection = upstream.connection(
      this.#isKeptAllowed ? (this.#isRepeatable ? "any" : "fresh") : "none",
      performance.now(),
    );
    this.#connection = connection;
    connection.begin(this, this.#method, head.text, this.#body !== undefined);
  }

  #hold(head: RequestHead, balancer: Balancer): void {
    this.#tried = [];
    this.#timer = hold(this.#startedAt, () => this.#attempt(head));
    if (this.#timer !== undefined) return;
    if (this.#lastFailure === undefined || balancer.size === 0)
      this.#refuse(503, `${balancer.instance} has no ready replica`);
    else this.#refuse(502, `${balancer.instance}: no replica could be asked (${this.#lastFailure})`);
  }

  connected(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#body?.sendTo(connection);
    if (this.#head?.expectsContinue === true) {
      this.#timer = setTimeout(() => this.#sendContinue(), continueAfterMs);
    }
  }

  drained(): void {
    this.#body?.resume();
  }

  informationHead(head: ResponseHead): void {
    if (head.status === 100) this.#sendContinue();
    // In a pipeline the socket belongs to an earlier answer: then the hint is left out.
    else if (this.#request.httpVersionMinor >= 1)
      this.#response.socket?.write(headText(head, endToEndHeaders(head)), "latin1");
  }

  #sendContinue(): void {
    clearTimeout(this.#timer);
    if (this.#head?.expectsContinue === true && !this.#response.headersSent && this.#body?.isUntouched === true)
      this.#response.writeContinue();
  }

  responseHead(head: ResponseHead): void {
    clearTimeout(this.#timer);
    this.#isHeadWaiting = true;
    if (head.framing.kind === "length") this.#bodyLeft = head.framing.bytes;
    const latencyMs = performance.now() - this.#startedAt;
    this.#upstream?.latency.add(latencyMs);
    this.#traffic?.latency.add(latencyMs);
    if (this.#entrance.isClosing) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(head.status, head.statusText, endToEndHeaders(head));
  }

  responseBody(chunk: Buffer): void {
    const response = this.#response;
    this.#isHeadWaiting = false;
    if (chunk.length === this.#bodyLeft) {
      // Head and body leave in one piece.
      this.#isOver = true;
      response.end(chunk);
      return;
    }
    this.#bodyLeft -= chunk.length;
    if (response.write(chunk)) return;
    this.#connection?.pause();
    response.once("drain", this.#onClientReady);
  }

  pieceDone(): void {
    // A head without a body yet, as of an event stream: it must not wait for the body.
    if (!this.#isHeadWaiting) return;
    this.#isHeadWaiting = false;
    this.#response.flushHeaders();
  }

  responseEnd(rawTrailers: readonly string[]): void {
    this.#leaveUpstream();
    this.#body?.discard();
    if (this.#isOver) return;
    this.#isOver = true;
    if (rawTrailers.length > 0) this.#response.addTrailers(pairs(rawTrailers));
    this.#response.end();
  }

  switchedProtocols(_head: ResponseHead, socket: Socket): void {
    socket.destroy();
    this.failed({
      reason: "switched protocols without being asked",
      wasConnected: true,
      wasAnswered: true,
      wasKept: false,
    });
  }

  failed(failure: ExchangeFailure): void {
    clearTimeout(this.#timer);
    const upstream = this.#upstream;
    this.#leaveUpstream();
    if (this.#isOver || upstream === undefined || this.#head === undefined) return;
    if (this.#response.headersSent) {
      upstream.failures += 1;
      this.#abort();
      return;
    }
    const isRepeatable = this.#isRepeatable && !failure.wasAnswered && this.#body?.isLost !== true;
    // A kept connection that the replica closed in the meantime says nothing about the replica.
    if (failure.wasKept) this.#isKeptAllowed = false;
    else {
      upstream.failures += 1;
      this.#tried.push(upstream);
      this.#lastFailure = `${upstream.replicaId}: ${failure.reason}`;
    }
    if (!failure.wasConnected || isRepeatable) this.#attempt(this.#head);
    else this.#refuse(502, `${upstream.replicaId} ended the connection without an answer (${failure.reason})`);
  }

  #refuse(status: number, reason: string): void {
    this.#isOver = true;
    this.#entrance.refused += 1;
    if (this.#traffic !== undefined) this.#traffic.failed += 1;
    if (this.#entrance.isClosing) this.#response.shouldKeepAlive = false;
    const text = `${reason}\n`;
    this.#response.writeHead(status, {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": Buffer.byteLength(text),
      ...(status === 503 ? { "Retry-After": "1" } : {}),
    });
    this.#response.end(text);
    if (this.#body === undefined) this.#request.resume();
    else this.#body.discard();
  }

  /** The client must see that its answer is incomplete. */
  #abort(): void {
    this.#isOver = true;
    if (this.#traffic !== undefined) this.#traffic.failed += 1;
    this.#response.destroy();
  }

  /** Returns the connection that was in use. */
  #leaveUpstream(): UpstreamConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#body?.detach();
    this.#upstream?.ended(this);
    this.#upstream = undefined;
    return connection;
  }

  readonly #onClientReady = (): void => {
    this.#connection?.resume();
  };

  readonly #onClientGone = (): void => {
    clearTimeout(this.#timer);
    this.#isOver = true;
    // Undefined where the answer is complete, or no replica was found yet.
    this.#leaveUpstream()?.abandon();
  };
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) found.push([raw[index] ?? "", raw[index + 1] ?? ""]);
  return found;
}
