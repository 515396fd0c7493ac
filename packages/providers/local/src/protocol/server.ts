import { rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { createServer } from "./node-http.ts";
import { toWireError } from "./wire-error.ts";
import { log } from "../process/log.ts";

/** Answers one operation. `signal` aborts when the caller went away: a wait ends then, a change is finished anyway. */
export type Operation = (body: unknown, call: { readonly signal: AbortSignal }) => Promise<unknown>;

export interface JsonServer {
  /** Calls that are being answered. */
  readonly openCalls: () => number;
  /** No further call is taken; resolves when the socket is closed. Calls under way are cut off. */
  close(): Promise<void>;
}

/** A body larger than this is refused: an environment of many 100 kB values fits. */
const largestBody = 64 * 1024 * 1024;

/**
 * Serves `POST /v1/<operation>` with JSON bodies on a unix socket that only its user can open. A file that lies at
 * `socketPath` is removed first: the caller holds the right to be the only server there.
 */
export async function serveJson(
  socketPath: string,
  operations: Readonly<Record<string, Operation>>,
): Promise<JsonServer> {
  let open = 0;
  const server = createServer((request, response) => {
    open++;
    response.once("close", () => open--);
    void answer(request, response, operations);
  });
  // Operations such as `waitReady` answer as late as their caller allows.
  server.requestTimeout = 0;
  // Closing an idle connection would break the call that is just being sent over it.
  server.keepAliveTimeout = 0;
  await listen(server, socketPath);
  return {
    openCalls: () => open,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  operations: Readonly<Record<string, Operation>>,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new CtrlPlaneError("CANCELLED", "the caller went away"));
  });
  try {
    const name = /^\/v1\/([A-Za-z]+)$/.exec(request.url ?? "")?.[1];
    const operation = name !== undefined && Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined || request.method !== "POST") {
      throw new CtrlPlaneError("UNSUPPORTED", `unknown operation ${request.method} ${request.url}`);
    }
    const body = await readBody(request);
    send(response, 200, (await operation(body, { signal: gone.signal })) ?? {});
  } catch (error) {
    if (!isCtrlPlaneError(error)) log(`${request.url}:`, error);
    send(response, isCtrlPlaneError(error) && error.code !== "INTERNAL" ? 400 : 500, { error: toWireError(error) });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Typed as `any` by node; without an encoding set, chunks are buffers.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) throw new CtrlPlaneError("INVALID", `a request of more than ${largestBody} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
  } catch (cause) {
    throw new CtrlPlaneError("INVALID", "the request is not JSON", { cause });
  }
}
