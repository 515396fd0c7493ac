import type { IncomingMessage } from "node:http";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { Agent, request } from "./node-http.ts";
import { reasonOf } from "../process/thrown.ts";
import { fromWireError } from "./wire-error.ts";

/**
 * Connections are kept: a deploy makes several calls for each replica. No call waits behind another: one that finds none idle opens its
 * own. An idle one keeps no process alive.
 */
const connections = new Agent({ keepAlive: true });

export interface CallOptions {
  /** Ends the call, and with it the wait on the other side. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `operation` of the server at `socketPath`. Throws what the operation threw; `UNAVAILABLE` (retryable) where nobody
 * listens or the server went away before it answered; the signal's reason when it aborts.
 */
export async function callJson(
  socketPath: string,
  operation: string,
  body: unknown,
  options: CallOptions = {},
): Promise<unknown> {
  const { signal } = options;
  signal?.throwIfAborted();
  const response = await send(socketPath, operation, JSON.stringify(body ?? {}), signal);
  const answer = parse(await readAll(response, socketPath, signal), socketPath);
  if (response.statusCode === 200) return answer;
  throw fromWireError(typeof answer === "object" && answer !== null && "error" in answer ? answer.error : undefined);
}

function send(
  socketPath: string,
  operation: string,
  text: string,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath,
        method: "POST",
        path: `/v1/${operation}`,
        agent: connections,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    outgoing.once("error", (error) =>
      reject(signal?.aborted === true ? reasonOf(signal) : unavailable(socketPath, error)),
    );
    outgoing.end(text);
  });
}

async function readAll(
  response: IncomingMessage,
  socketPath: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  try {
    // Typed as `any` by node; with an encoding set, chunks are strings.
    for await (const chunk of response as AsyncIterable<string>) text += chunk;
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : unavailable(socketPath, error);
  }
  return text;
}

function parse(text: string, socketPath: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unavailable(socketPath, error);
  }
}

function unavailable(socketPath: string, cause: unknown): CtrlPlaneError {
  return new CtrlPlaneError("UNAVAILABLE", `nobody answers at ${socketPath}`, {
    retryable: true,
    target: socketPath,
    cause,
  });
}
