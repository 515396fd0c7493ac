import { rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { log } from "../process/log.ts";
import { readLines, writeLine, type CallMessage, type ToClient, type ToServer } from "./lines.ts";
import { toWireError } from "./wire-error.ts";

/** Answers one operation. `signal` aborts when the caller went away: a wait ends then, a change is finished anyway. */
export type Operation = (body: unknown, call: { readonly signal: AbortSignal }) => Promise<unknown>;

export interface JsonServer {
  /** Calls that are being answered. */
  readonly openCalls: () => number;
  /** No further call is taken; resolves when the socket is closed. Calls under way are cut off. */
  close(): Promise<void>;
}

/**
 * Answers calls, a line of JSON each, on a unix socket that only its user can open. A connection carries any number of them side
 * by side. A file that lies at `socketPath` is removed first: the caller holds the right to be the only server there.
 */
export async function serveJson(
  socketPath: string,
  operations: Readonly<Record<string, Operation>>,
): Promise<JsonServer> {
  const connections = new Set<ServedConnection>();
  const server = createServer((socket) => {
    const connection = new ServedConnection(socket, operations);
    connections.add(connection);
    socket.once("close", () => connections.delete(connection));
  });
  await listen(server, socketPath);
  return {
    openCalls: () => [...connections].reduce((sum, each) => sum + each.openCalls, 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const each of connections) each.end();
      }),
  };
}

async function listen(server: Server, socketPath: string): Promise<void> {
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: socketPath }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  await chmod(socketPath, 0o600);
}

class ServedConnection {
  readonly #socket: Socket;
  readonly #operations: Readonly<Record<string, Operation>>;
  readonly #calls = new Map<number, AbortController>();

  constructor(socket: Socket, operations: Readonly<Record<string, Operation>>) {
    this.#socket = socket;
    this.#operations = operations;
    // The close follows.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      for (const each of this.#calls.values()) each.abort(callerGone());
    });
    readLines(
      socket,
      (line) => this.#told(line),
      () => this.end(),
    );
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  /** What was answered still arrives. */
  end(): void {
    this.#socket.destroySoon();
  }

  #told(line: string): void {
    const message = parse(line);
    if (message === undefined) return this.end();
    if ("gone" in message) this.#calls.get(message.id)?.abort(callerGone());
    else void this.#answer(message);
  }

  async #answer({ id, operation, body }: CallMessage): Promise<void> {
    const gone = new AbortController();
    this.#calls.set(id, gone);
    try {
      const work = Object.hasOwn(this.#operations, operation) ? this.#operations[operation] : undefined;
      if (work === undefined) throw new CtrlPlaneError("UNSUPPORTED", `unknown operation ${operation}`);
      this.#send({ id, value: (await work(body, { signal: gone.signal })) ?? {} });
    } catch (error) {
      if (!isCtrlPlaneError(error)) log(`${operation}:`, error);
      this.#send({ id, error: toWireError(error) });
    } finally {
      this.#calls.delete(id);
    }
  }

  #send(message: ToClient): void {
    if (this.#socket.writable) writeLine(this.#socket, message);
  }
}

function callerGone(): CtrlPlaneError {
  return new CtrlPlaneError("CANCELLED", "the caller went away");
}

/** Undefined for what no client of ours writes. */
function parse(line: string): ToServer | undefined {
  try {
    // Only our own client can open the socket.
    const message = JSON.parse(line) as ToServer;
    return typeof message.id === "number" ? message : undefined;
  } catch {
    return undefined;
  }
}
