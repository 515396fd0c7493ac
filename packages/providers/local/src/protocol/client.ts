import { connect, type Socket } from "node:net";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { reasonOf } from "../process/thrown.ts";
import { readLines, writeLine, type ToClient, type ToServer } from "./lines.ts";
import { fromWireError } from "./wire-error.ts";

export interface CallOptions {
  /** Ends the call, and with it the wait on the other side. */
  readonly signal?: AbortSignal | undefined;
}

/** By the socket's path. All calls of this process to one server share a connection; none waits for another's answer. */
const connections = new Map<string, Connection>();

/**
 * Calls `operation` of the server at `socketPath`. Throws what the operation threw; `UNAVAILABLE` (retryable) where nobody
 * listens or the server went away before it answered; the signal's reason when it aborts.
 */
export async function callJson(
  socketPath: string,
  operation: string,
  body: unknown,
  { signal }: CallOptions = {},
): Promise<unknown> {
  signal?.throwIfAborted();
  let connection = connections.get(socketPath);
  if (connection === undefined) connections.set(socketPath, (connection = new Connection(socketPath)));
  return connection.call(operation, body ?? {}, signal);
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** An idle one keeps no process alive. */
class Connection {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(path: string) {
    this.#path = path;
    this.#socket = connect({ path });
    this.#socket.on("error", (error) => this.#lost(error));
    this.#socket.on("close", () => this.#lost(undefined));
    readLines(
      this.#socket,
      (line) => this.#answered(line),
      () => this.#lost(new Error("an answer that is too large")),
    );
  }

  async call(operation: string, body: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const id = (this.#lastId += 1);
    const gone = (): void => {
      const waiting = this.#taken(id);
      if (waiting === undefined) return;
      this.#send({ id, gone: true });
      waiting.reject(reasonOf(signal));
    };
    signal?.addEventListener("abort", gone, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        this.#socket.ref();
        this.#send({ id, operation, body });
      });
    } finally {
      signal?.removeEventListener("abort", gone);
    }
  }

  #send(message: ToServer): void {
    writeLine(this.#socket, message);
  }

  #taken(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#socket.unref();
    return waiting;
  }

  #answered(line: string): void {
    const answer = parse(line);
    if (answer === undefined) return this.#lost(new Error("an answer that is not one of ours"));
    // Absent: its caller has gone.
    const waiting = this.#taken(answer.id);
    if ("error" in answer) waiting?.reject(fromWireError(answer.error));
    else waiting?.resolve(answer.value);
  }

  #lost(cause: Error | undefined): void {
    if (connections.get(this.#path) === this) connections.delete(this.#path);
    this.#socket.destroy();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const each of waiting) {
      const error = new CtrlPlaneError("UNAVAILABLE", `nobody answers at ${this.#path}`, {
        retryable: true,
        target: this.#path,
        cause,
      });
      each.reject(error);
    }
  }
}

/** Undefined for what no server of ours writes. */
function parse(line: string): ToClient | undefined {
  try {
    // Only our own server can listen at the socket.
    const answer = JSON.parse(line) as ToClient;
    return typeof answer.id === "number" ? answer : undefined;
  } catch {
    return undefined;
  }
}
