import type { LoadReport } from "./load-report.ts";
import { readStream, sendSlowly, talkByWebSocket, type LongOutcome } from "./long-clients.ts";
import { runLoad } from "./run-load.ts";

export interface ClientOptions {
  readonly url: string;
  /** Of short requests, open loop. */
  readonly ratePerSecond: number;
  /** How long a slow body, a stream and a short conversation last. */
  readonly longMs: number;
  /** Between two of each of these. Default 500. */
  readonly longEveryMs?: number;
}

/** Exchanges that last: how many there were, and why each that was not complete was cut. */
export interface LongReport {
  readonly begun: number;
  readonly failures: readonly string[];
}

export interface ClientsReport {
  readonly short: LoadReport;
  readonly slowBodies: LongReport;
  readonly streams: LongReport;
  /** WebSockets that ended by themselves. */
  readonly conversations: LongReport;
  /** WebSockets that never ended by themselves: how many of them the service ended. */
  readonly endedAtDrain: number;
  /** Versions that answered short requests. */
  readonly versions: readonly string[];
}

/** Failed HTTP requests, by kind and reason; a WebSocket is one until it is established. */
export function failuresOf({
  short,
  slowBodies,
  streams,
  conversations,
}: ClientsReport): Readonly<Record<string, unknown>> {
  const long = { slowBodies, streams, conversations };
  const lists = Object.entries(long).flatMap(([kind, { failures }]) => (failures.length > 0 ? [[kind, failures]] : []));
  return { ...(short.failed > 0 ? { short: short.failures } : {}), ...Object.fromEntries(lists) };
}

export interface Clients {
  /**
   * Opens a WebSocket that stays until the service ends it; then it is opened again as long as the others work. Resolves when the first one is
   * established, or refused.
   */
  stay(): Promise<void>;
  /** Begins nothing more, and resolves when all that was begun has ended. */
  end(): Promise<ClientsReport>;
}

/**
 * All kinds of clients at work until `end`: short requests over kept-alive connections at a fixed rate, whatever the answers do; slow bodies,
 * streams and WebSockets beside them. POST where a body is sent: a gateway may not repeat it once a replica has it. No client sends anything twice.
 */
export function startClients({ url, ratePerSecond, longMs, longEveryMs = 500 }: ClientOptions): Clients {
  const over = new AbortController();
  const versions = new Set<string>();
  const short = runLoad({
    url,
    method: "POST",
    ratePerSecond,
    connections: 100,
    signal: over.signal,
    timeoutMs: 60_000,
    judge: ({ status, body }) => {
      if (status !== 200 || body === "") return `status ${status}`;
      versions.add(body);
      return undefined;
    },
  });
  const slowBodies = repeat(longEveryMs, over.signal, async () => {
    const seen = await sendSlowly({ url, bytes: 50_000, overMs: longMs });
    return seen.outcome === "complete" && seen.answer === "" ? "empty answer" : seen.outcome;
  });
  const streams = repeat(longEveryMs, over.signal, () => wholeStream(`${url}?stream=${longMs}`));
  const webSocket = url.replace("http:", "ws:");
  const conversations = repeat(longEveryMs, over.signal, async () => {
    const seen = await talkByWebSocket({ url: webSocket, everyMs: 100, signal: AbortSignal.timeout(longMs) });
    if (!seen.isOpened) return `refused, code ${seen.closeCode}`;
    if (seen.endedBy === "server") return `ended by the service, code ${seen.closeCode}`;
    return seen.sent > 0 && seen.echoed === seen.sent ? "complete" : `${seen.echoed} of ${seen.sent} came back`;
  });
  let endedAtDrain = 0;
  const staying: Promise<void>[] = [];
  const refused: string[] = [];
  const stay = async (onOpen: () => void): Promise<void> => {
    while (!over.signal.aborted) {
      const seen = await talkByWebSocket({ url: webSocket, everyMs: 100, signal: over.signal, onOpen });
      onOpen();
      if (seen.isOpened && seen.endedBy === "server") endedAtDrain += 1;
      else if (!seen.isOpened) refused.push(`a WebSocket was refused, code ${seen.closeCode}`);
    }
  };
  return {
    stay: () => new Promise((resolve) => staying.push(stay(resolve))),
    async end() {
      over.abort();
      await Promise.all(staying);
      const talked = await conversations;
      return {
        short: await short,
        slowBodies: await slowBodies,
        streams: await streams,
        conversations: { ...talked, failures: [...talked.failures, ...refused] },
        endedAtDrain,
        versions: [...versions].toSorted(),
      };
    },
  };
}

/** Complete with its last line, from one version alone. */
async function wholeStream(url: string): Promise<string> {
  let text = "";
  const seen: LongOutcome = await readStream({ url, onChunk: (chunk) => (text += chunk) });
  if (seen.outcome !== "complete") return seen.outcome;
  const lines = text.trimEnd().split("\n");
  return lines.pop() === "end" && new Set(lines).size === 1 ? "complete" : "a part of the stream is missing";
}

/** Begins one exchange each `everyMs` until the signal, whatever becomes of the others; resolves when all have ended. */
async function repeat(everyMs: number, signal: AbortSignal, exchange: () => Promise<string>): Promise<LongReport> {
  const outcomes: Promise<string>[] = [];
  await new Promise<void>((resolve) => {
    outcomes.push(exchange());
    const timer = setInterval(() => outcomes.push(exchange()), everyMs);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      resolve();
    });
  });
  const ended = await Promise.all(outcomes);
  return { begun: ended.length, failures: ended.filter((outcome) => outcome !== "complete") };
}
