import { connect, type Socket } from "node:net";
import { ResponseParser, type ResponseHead, type ResponseSink } from "./response-parser.ts";
import type { Upstream } from "./upstream.ts";

/** One request's view of its connection. */
export interface ExchangeSink extends Pick<ResponseSink, "informationHead" | "responseHead" | "responseBody"> {
  /** The connection stands: from now on a sent byte may reach the replica. At once where it is a kept one. */
  connected(): void;
  /** All bytes that came together were handed over. */
  pieceDone(): void;
  /** The connection is free again, or closed, and not this sink's any more. */
  responseEnd(rawTrailers: readonly string[]): void;
  /** 101: the socket is the sink's from now on, and `rest` its first bytes. */
  switchedProtocols(head: ResponseHead, socket: Socket, rest: Buffer): void;
  /** The connection is closed. */
  failed(failure: ExchangeFailure): void;
  /** The socket takes more. */
  drained(): void;
}

export interface ExchangeFailure {
  /** Why, in a few words, e.g. `ECONNREFUSED`. */
  readonly reason: string;
  /** False: not one byte reached the replica. */
  readonly wasConnected: boolean;
  /** True once any byte of an answer was read. */
  readonly wasAnswered: boolean;
  /** The connection had carried requests before. */
  readonly wasKept: boolean;
}

const connectTimeoutMs = 5000;

/** A connection to a replica, kept for one request after another. */
export class UpstreamConnection implements ResponseSink {
  readonly socket: Socket;
  /** When it stops being worth keeping, on the clock of `performance.now()`; set while it is idle. */
  idleUntil = 0;
  idleSince = 0;
  readonly #upstream: Upstream;
  readonly #parser: ResponseParser;
  #sink: ExchangeSink | undefined;
  #isConnected = false;
  #isAnswered = false;
  #carried = 0;
  #isRequestSent = false;
  #isPersistent = false;
  #keepAliveMs: number | undefined;
  #error: Error | undefined;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#parser = new ResponseParser(this);
    const socket = connect({ host: upstream.host, port: upstream.port, noDelay: true, allowHalfOpen: true });
    this.socket = socket;
    const timer = setTimeout(() => socket.destroy(new Error("no connection in 5 s")), connectTimeoutMs);
    socket.once("connect", () => {
      clearTimeout(timer);
      this.#isConnected = true;
      this.#sink?.connected();
    });
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("drain", this.#onDrain);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    socket.once("close", () => clearTimeout(timer));
  }

  /** Sends a request's head (latin1). `hasBody`: the body follows by `write`, closed by `requestSent`. */
  begin(sink: ExchangeSink, method: string, head: string, hasBody: boolean): void {
    this.#sink = sink;
    this.#carried += 1;
    this.#isAnswered = false;
    this.#isRequestSent = !hasBody;
    this.#parser.expect(method);
    this.socket.write(head, "latin1");
    if (this.#isConnected) sink.connected();
  }

  /** False: wait for `drained`. */
  write(chunk: Buffer | string): boolean {
    return this.socket.write(chunk, "latin1");
  }

  requestSent(): void {
    this.#isRequestSent = true;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** The request is given up: the connection cannot carry another. Its sink hears nothing more. */
  abandon(): void {
    this.#sink = undefined;
    this.socket.destroy();
  }

  informationHead(head: ResponseHead): void {
    this.#sink?.informationHead(head);
  }

  responseHead(head: ResponseHead): void {
    this.#isPersistent = head.isPersistent;
    this.#keepAliveMs = head.keepAliveMs;
    this.#sink?.responseHead(head);
  }

  responseBody(chunk: Buffer): void {
    this.#sink?.responseBody(chunk);
  }

  switchedProtocols(head: ResponseHead, rest: Buffer): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    const socket = this.socket;
    socket.pause();
    socket
      .off("data", this.#onData)
      .off("end", this.#onEnd)
      .off("drain", this.#onDrain)
      .off("error", this.#onError)
      .off("close", this.#onClose);
    // Copied: the socket reads on into the same memory.
    sink.switchedProtocols(head, socket, Buffer.from(rest));
  }

  responseEnd(rawTrailers: readonly string[], rest: number): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    // A replica that answers before it read the whole request, or sends more than was asked, cannot be understood any more.
    const canStay =
      this.#isPersistent && this.#isRequestSent && rest === 0 && !this.socket.destroyed && !this.socket.readableEnded;
    if (canStay) {
      if (this.socket.isPaused()) this.socket.resume();
      this.#upstream.keep(this, this.#keepAliveMs);
    } else this.socket.destroy();
    sink.responseEnd(rawTrailers);
  }

  responseBroken(reason: string): void {
    this.#fail(reason);
  }

  readonly #onData = (chunk: Buffer): void => {
    const sink = this.#sink;
    if (sink === undefined) {
      this.socket.destroy(); // speaks without being asked
      return;
    }
    this.#isAnswered = true;
    this.#parser.push(chunk);
    if (this.#sink === sink) sink.pieceDone();
  };

  readonly #onEnd = (): void => {
    if (this.#sink === undefined) this.socket.destroy();
    else this.#parser.eof();
  };

  readonly #onDrain = (): void => {
    this.#sink?.drained();
  };

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onClose = (): void => {
    this.#upstream.closed(this);
    this.#fail(describe(this.#error));
  };

  #fail(reason: string): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.socket.destroy();
    sink?.failed({
      reason,
      wasConnected: this.#isConnected,
      wasAnswered: this.#isAnswered,
      wasKept: this.#carried > 1,
    });
  }
}

function describe(error: (Error & { code?: string }) | undefined): string {
  return error === undefined ? "connection closed" : (error.code ?? error.message);
}
