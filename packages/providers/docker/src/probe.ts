import type { Duplex } from "node:stream";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";

// Imported it would take longer to load; see node-http.ts of @ctrlplane/images.
const { get } = process.getBuiltinModule("node:http");

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
}

/** How a connection to a container is made. */
export type Reach = NonNullable<EngineClient["reach"]>;

export interface ProbeLimits {
  readonly timeoutMs: number;
  /** Of the whole call: the probe throws its reason. */
  readonly signal: AbortSignal;
}

/** Undefined where the port is open; else what was seen. Throws where the way to the container is none. */
export function probePort(reach: Reach, target: ProbeTarget, limits: ProbeLimits): Promise<string | undefined> {
  const { port } = target;
  return asked(`port ${port}`, `port ${port} does not answer`, port, limits, async (signal) => {
    const connection = await reach(target, signal);
    connection.destroy();
    return undefined;
  });
}

/** Undefined where `GET path` is answered with 2xx or 3xx; else what was seen. Throws where the way to the container is none. */
export function probeHttp(
  reach: Reach,
  target: ProbeTarget,
  path: string,
  limits: ProbeLimits,
): Promise<string | undefined> {
  const what = `GET ${path}`;
  const late = `${what} was not answered within ${limits.timeoutMs} ms`;
  return asked(what, late, target.port, limits, async (signal) => {
    const connection = await reach(target, signal);
    const status = await statusOf(connection, target, path, signal).finally(() => connection.destroy());
    return status < 400 ? undefined : `${what} was answered with ${status}`;
  });
}

async function asked(
  what: string,
  late: string,
  port: number,
  { timeoutMs, signal }: ProbeLimits,
  ask: (signal: AbortSignal) => Promise<string | undefined>,
): Promise<string | undefined> {
  const over = AbortSignal.timeout(timeoutMs);
  try {
    return await ask(AbortSignal.any([signal, over]));
  } catch (error) {
    signal.throwIfAborted();
    if (over.aborted) return late;
    if (isCtrlPlaneError(error) || !(error instanceof Error)) throw error;
    const isClosed = "code" in error && error.code === "ECONNREFUSED";
    return isClosed ? `port ${port} is closed` : `${what}: ${error.message}`;
  }
}

function statusOf(connection: Duplex, { host, port }: ProbeTarget, path: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "user-agent": "pctl" };
    const sent = get({ host, port, path, headers, signal, createConnection: () => connection });
    sent.once("response", (response) => {
      response.on("error", () => undefined).resume();
      resolve(response.statusCode ?? 0);
    });
    // Giving the connection up, once its answer is known, may be an error of it.
    sent.on("error", reject);
  });
}
