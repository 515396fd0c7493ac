import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { hold, type ServingEntrance } from "./serving-entrance.ts";
import { joinSockets } from "./join-sockets.ts";
import { requestHead } from "./request-head.ts";
import { endToEndHeaders, headText } from "./response-headers.ts";
import type { ResponseHead } from "./response-parser.ts";
import type { InstanceTraffic } from "./traffic.ts";
import type { ExchangeFailure, ExchangeSink, UpstreamConnection } from "./upstream-connection.ts";
import type { OpenWork, Upstream } from "./upstream.ts";

/**
 * A request to switch protocols, e.g. to WebSocket. Once the replica agreed, both sides talk as they like until one ends or the
 * replica is drained. A refusal is passed on, and the connection closed after it.
 */
export class UpgradeExchange implements ExchangeSink, OpenWork {
  readonly #entrance: ServingEntrance;
  readonly #request: IncomingMessage;
  readonly #client: Socket;
  readonly #firstBytes: Buffer;
  #tried: Upstream[] = [];
  #text = "";
  #isChunkedAnswer = false;
  #traffic: InstanceTraffic | undefined;
  #upstream: Upstream | undefined;
  #connection: UpstreamConnection | undefined;
  #isAnswering = false;
  readonly #startedAt = performance.now();

  constructor(entrance: ServingEntrance, request: IncomingMessage, client: Socket, firstBytes: Buffer) {
    this.#entrance = entrance;
    this.#request = request;
    this.#client = client;
    this.#firstBytes = firstBytes;
  }

  start(): void {
    this.#entrance.requests += 1;
    this.#client.on("error", this.#onClientGone);
    this.#client.once("close", this.#onClientGone);
    this.#attempt();
  }

  cut(): void {
    this.#failed();
    this.#client.destroy();
    this.#connection?.abandon();
    this.#leave();
  }

  #attempt(): void {
    const head = requestHead(this.#request, true);
    if ("reason" in head) {
      this.#refuse(head.status, head.reason);
      return;
    }
    const balancer = this.#entrance.routes.find(head.authority, head.target);
    // Once, however often it is tried.
    if (this.#traffic === undefined && balancer !== undefined) balancer.traffic.requests += 1;
    this.#traffic ??= balancer?.traffic;
    const upstream = balancer?.choose(this.#tried);
    if (upstream === undefined) {
      if (balancer === undefined) this.#refuse(404, "no service answers here");
      else this.#hold(balancer.instance);
      return;
    }
    this.#text = head.text;
    this.#upstream = upstream;
    upstream.began(this);
    this.#connection = upstream.connection("none", 0);
    this.#connection.begin(this, this.#request.method ?? "GET", this.#text, false);
  }

  #hold(instance: string): void {
    this.#tried = [];
    const again = (): void => {
      if (!this.#client.destroyed) this.#attempt();
    };
    if (hold(this.#startedAt, again) === undefined) this.#refuse(503, `${instance} has no ready replica`);
  }

  connected(): void {}

  drained(): void {}

  pieceDone(): void {}

  informationHead(): void {}

  switchedProtocols(head: ResponseHead, socket: Socket, rest: Buffer): void {
    const upstream = this.#upstream;
    this.#connection = undefined;
    if (upstream === undefined) {
      socket.destroy();
      return;
    }
    const client = this.#client;
    client.off("error", this.#onClientGone).off("close", this.#onClientGone);
    // All headers: `Connection` and `Upgrade` are the answer here.
    client.write(headText(head, head.rawHeaders), "latin1");
    if (rest.length > 0) client.write(rest);
    if (this.#firstBytes.length > 0) socket.write(this.#firstBytes);
    const traffic = this.#traffic;
    const open: OpenWork = {
      cut: () => {
        if (traffic !== undefined) traffic.closedAtDrain += 1;
        client.destroy();
        socket.destroy();
      },
    };
    upstream.ended(this);
    upstream.began(open);
    upstream.requests -= 1; // one request, counted when it began
    joinSockets(client, socket, () => upstream.ended(open));
  }

  responseHead(head: ResponseHead): void {
    this.#isAnswering = true;
    this.#isChunkedAnswer = head.framing.kind === "chunked";
    const headers = [...endToEndHeaders(head), "Connection", "close"];
    if (this.#isChunkedAnswer) headers.push("Transfer-Encoding", "chunked");
    this.#client.write(headText(head, headers), "latin1");
  }

  responseBody(chunk: Buffer): void {
    const client = this.#client;
    if (this.#isChunkedAnswer) client.write(`${chunk.length.toString(16)}\r\n`);
    let takesMore = client.write(chunk);
    if (this.#isChunkedAnswer) takesMore = client.write("\r\n");
    if (takesMore) return;
    this.#connection?.pause();
    client.once("drain", () => this.#connection?.resume());
  }

  responseEnd(): void {
    this.#leave();
    this.#client.end(this.#isChunkedAnswer ? "0\r\n\r\n" : "");
  }

  failed(failure: ExchangeFailure): void {
    const upstream = this.#upstream;
    this.#leave();
    if (upstream === undefined || this.#client.destroyed) return;
    upstream.failures += 1;
    this.#tried.push(upstream);
    if (this.#isAnswering) {
      this.#failed();
      this.#client.destroy();
    } else if (!failure.wasConnected) this.#attempt();
    else this.#refuse(502, `${upstream.replicaId} ended the connection without an answer (${failure.reason})`);
  }

  #refuse(status: number, reason: string): void {
    this.#entrance.refused += 1;
    this.#failed();
    const body = `${reason}\n`;
    const length = Buffer.byteLength(body);
    this.#client.end(
      `HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
    );
  }

  #failed(): void {
    if (this.#traffic !== undefined) this.#traffic.failed += 1;
  }

  #leave(): void {
    this.#upstream?.ended(this);
    this.#upstream = undefined;
    this.#connection = undefined;
  }

  readonly #onClientGone = (): void => {
    this.#connection?.abandon();
    this.#leave();
    this.#client.destroy();
  };
}
