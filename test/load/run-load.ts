import { Agent, request, type IncomingMessage } from "node:http";
import { LoadRecord, type LoadReport } from "./load-report.ts";

export interface LoadOptions {
  /** On this machine only: an address that is no loopback one is refused. */
  readonly url: string;
  readonly ratePerSecond: number;
  /** Requests begin until then; one of the two ends must be given, the first that comes counts. */
  readonly durationMs?: number;
  readonly signal?: AbortSignal;
  /** Kept-alive connections, used in turn. A request that finds all of them busy waits for one, and its time runs. Default 50. */
  readonly connections?: number;
  /** From the scheduled time; then the request counts as failed with `timeout`. Default 10,000. */
  readonly timeoutMs?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is wrong with an answer, in a few words; undefined where it is right. Default: any status but 2xx is wrong. */
  readonly judge?: (answer: { readonly status: number; readonly body: string }) => string | undefined;
}

/** A kept-alive connection: an agent that holds one socket. */
interface Lane {
  readonly agent: Agent;
  isBusy: boolean;
}

interface Due {
  readonly scheduledAt: number;
}

/**
 * Sends requests at a fixed rate, whatever the answers do: a server that stalls does not slow the client down, and each latency
 * counts from the moment at which the request was due. Nothing is ever sent twice. Resolves when the last answer is in or timed out.
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const url = loopbackUrl(options.url);
  if (options.durationMs === undefined && options.signal === undefined)
    throw new Error("runLoad needs durationMs or signal");
  const record = new LoadRecord();
  const lanes = Array.from({ length: options.connections ?? 50 }, (): Lane => ({
    agent: new Agent({ keepAlive: true, maxSockets: 1 }),
    isBusy: false,
  }));
  const waiting: Due[] = [];
  let turn = 0;
  let open = 0;
  let whenDone: (() => void) | undefined;

  const send = (lane: Lane, due: Due): void => {
    lane.isBusy = true;
    void exchange(url, lane.agent, due.scheduledAt, options, record).then(() => {
      open -= 1;
      lane.isBusy = false;
      const next = waiting.shift();
      if (next !== undefined) send(lane, next);
      else if (open === 0) whenDone?.();
    });
  };
  const begin = (due: Due): void => {
    open += 1;
    for (let step = 0; step < lanes.length; step += 1) {
      const lane = lanes[(turn + step) % lanes.length];
      if (lane === undefined || lane.isBusy) continue;
      turn = (turn + step + 1) % lanes.length;
      send(lane, due);
      return;
    }
    waiting.push(due);
  };

  await keepPace(options, record, begin);
  if (open > 0) await new Promise<void>((resolve) => (whenDone = resolve));
  for (const lane of lanes) lane.agent.destroy();
  return record.report();
}

/** Calls `begin` for every request at its time; catches up at once where the timer came late. */
async function keepPace(options: LoadOptions, record: LoadRecord, begin: (due: Due) => void): Promise<void> {
  const intervalMs = 1000 / options.ratePerSecond;
  const startedAt = performance.now();
  const endAt = startedAt + (options.durationMs ?? Infinity);
  for (let index = 0; ; index += 1) {
    const scheduledAt = startedAt + index * intervalMs;
    if (scheduledAt >= endAt) break;
    let now = performance.now();
    while (now < scheduledAt && options.signal?.aborted !== true) {
      await pause(Math.max(1, Math.min(50, scheduledAt - now)));
      now = performance.now();
    }
    if (options.signal?.aborted === true) break;
    record.lag(now - scheduledAt);
    begin({ scheduledAt });
  }
  record.sendingMs = performance.now() - startedAt;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One request and its whole answer, recorded; never rejects. */
function exchange(
  url: URL,
  agent: Agent,
  scheduledAt: number,
  options: LoadOptions,
  record: LoadRecord,
): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false;
    const end = (failure: string | undefined): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      if (failure === undefined) record.ok(performance.now() - scheduledAt);
      else record.failed(failure);
      // Only when its socket is free or gone does the lane take the next request.
      setImmediate(resolve);
    };
    record.sent();
    const outgoing = request(url, { agent, method: options.method ?? "GET", headers: options.headers ?? {} });
    const timer = setTimeout(
      () => {
        end("timeout");
        outgoing.destroy();
      },
      Math.max(1, scheduledAt + (options.timeoutMs ?? 10_000) - performance.now()),
    );
    outgoing.once("socket", () => {
      if (!outgoing.reusedSocket) record.connected();
    });
    outgoing.on("error", (error) => end(reasonOf(error)));
    outgoing.once("response", (response) => readAnswer(response, options, end));
    outgoing.end(options.body);
  });
}

function readAnswer(response: IncomingMessage, options: LoadOptions, end: (failure: string | undefined) => void): void {
  let body = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => (body += chunk));
  response.once("error", () => end("answer cut off"));
  response.once("end", () => {
    const status = response.statusCode ?? 0;
    if (options.judge !== undefined) end(options.judge({ status, body }));
    else end(status >= 200 && status < 300 ? undefined : `status ${status}`);
  });
}

function reasonOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

function loopbackUrl(text: string): URL {
  const url = new URL(text);
  const isLoopback =
    url.hostname === "localhost" || url.hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
  if (!isLoopback || url.protocol !== "http:")
    throw new Error(`the load client asks this machine only, by http: ${text}`);
  return url;
}
