import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A client that writes and reads bytes as they are; gone at the test's end. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  isEnded = false;
  isClosed = false;
  #waiting: (() => void) | undefined;

  constructor(t: TestContext, port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    t.after(() => this.socket.destroy());
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.received += text;
      this.#waiting?.();
    });
    this.socket.on("error", () => this.socket.destroy());
    this.socket.on("end", () => {
      this.isEnded = true;
      this.#waiting?.();
    });
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#waiting?.();
    });
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Resolves with all that was received once it matches; rejects when the connection ends before. */
  async until(pattern: RegExp): Promise<string> {
    await this.#when(() => pattern.test(this.received) || this.isEnded || this.isClosed);
    if (!pattern.test(this.received)) throw new Error(`ended without ${pattern}: ${JSON.stringify(this.received)}`);
    return this.received;
  }

  /** Resolves with all that was received once the other side ended or closed. */
  async ended(): Promise<string> {
    await this.#when(() => this.isEnded || this.isClosed);
    return this.received;
  }

  async #when(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#waiting = resolve));
  }
}
