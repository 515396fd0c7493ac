import type { IncomingMessage } from "node:http";
import type { RequestHead } from "./request-head.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** Bodies up to this size are remembered, so that a repeatable request can be sent again. */
const rememberedBytes = 64 * 1024;

/**
 * The body of a client's request on its way to a replica. Nothing is read before a connection to a replica stands, so that
 * a request which reached nobody can go elsewhere whatever its size.
 */
export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #isChunked: boolean;
  #connection: UpstreamConnection | undefined;
  #remembered: Buffer[] | undefined;
  #rememberedBytes = 0;
  #isListening = false;
  #isComplete = false;
  #isTouched = false;

  constructor(request: IncomingMessage, head: RequestHead, mayRepeat: boolean) {
    this.#request = request;
    this.#isChunked = head.body === "chunked";
    this.#remembered = mayRepeat && head.bodyBytes <= rememberedBytes ? [] : undefined;
  }

  /** Part of it is gone: the request cannot be sent again. */
  get isLost(): boolean {
    return this.#isTouched && this.#remembered === undefined;
  }

  get isUntouched(): boolean {
    return !this.#isTouched;
  }

  sendTo(connection: UpstreamConnection): void {
    this.#connection = connection;
    for (const chunk of this.#remembered ?? []) this.#send(connection, chunk);
    if (this.#isComplete) this.#finish(connection);
    else if (this.#isListening) this.#request.resume();
    else this.#listen();
  }

  /** What still comes waits for another connection. */
  detach(): void {
    this.#connection = undefined;
    if (this.#isListening && !this.#isComplete) this.#request.pause();
  }

  /** The answer is complete: what still comes is read and dropped, so that the client's connection can go on. */
  discard(): void {
    this.#connection = undefined;
    this.#remembered = undefined;
    if (!this.#isComplete) this.#request.resume();
  }

  resume(): void {
    this.#request.resume();
  }

  #listen(): void {
    this.#isListening = true;
    this.#request.on("data", this.#onData);
    this.#request.once("end", () => {
      this.#isComplete = true;
      if (this.#connection !== undefined) this.#finish(this.#connection);
    });
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#isTouched = true;
    this.#rememberedBytes += chunk.length;
    if (this.#rememberedBytes > rememberedBytes) this.#remembered = undefined;
    this.#remembered?.push(chunk);
    const connection = this.#connection;
    if (connection !== undefined && !this.#send(connection, chunk)) this.#request.pause();
  };

  #send(connection: UpstreamConnection, chunk: Buffer): boolean {
    if (!this.#isChunked) return connection.write(chunk);
    connection.socket.cork();
    connection.write(`${chunk.length.toString(16)}\r\n`);
    connection.write(chunk);
    const takesMore = connection.write("\r\n");
    connection.socket.uncork();
    return takesMore;
  }

  #finish(connection: UpstreamConnection): void {
    if (this.#isChunked) {
      const { rawTrailers } = this.#request;
      let end = "0\r\n";
      for (let index = 0; index < rawTrailers.length; index += 2)
        end += `${rawTrailers[index]}: ${rawTrailers[index + 1]}\r\n`;
      connection.write(`${end}\r\n`);
    }
    connection.requestSent();
  }
}
