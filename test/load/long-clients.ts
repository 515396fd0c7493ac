import { request } from "node:http";

/** What is silent for so long has failed: nothing that is measured here lasts longer, however busy the machine is. */
const silentMs = 60_000;

/** How a long exchange ended. `complete`: as it should; else what cut it. */
export interface LongOutcome {
  readonly outcome: "complete" | (string & {});
  readonly bytes: number;
  readonly elapsedMs: number;
}

/** Sends a body of `bytes` in even pieces over `overMs`, on a connection of its own, and reads the whole answer. */
export function sendSlowly(options: {
  readonly url: string;
  readonly bytes: number;
  readonly overMs: number;
}): Promise<LongOutcome & { readonly answer: string }> {
  const { url, bytes, overMs } = options;
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let answer = "";
    let sent = 0;
    const pieces = Math.max(1, Math.round(overMs / 100));
    const outgoing = request(url, { agent: false, method: "POST", headers: { "content-length": bytes } });
    const end = (outcome: string): void => {
      clearInterval(timer);
      resolve({ outcome, bytes: sent, answer, elapsedMs: performance.now() - startedAt });
    };
    const timer = setInterval(() => {
      const size = Math.min(Math.ceil(bytes / pieces), bytes - sent);
      sent += size;
      outgoing.write(Buffer.alloc(size, "x"));
      if (sent < bytes) return;
      clearInterval(timer);
      outgoing.end();
    }, overMs / pieces);
    outgoing.setTimeout(silentMs, () => outgoing.destroy(new Error("silent for too long")));
    outgoing.on("error", (error) => end(error.message));
    outgoing.once("response", (response) => {
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (answer += chunk));
      response.once("error", (error) => end(error.message));
      response.once("end", () => end(response.statusCode === 200 ? "complete" : `status ${response.statusCode}`));
    });
  });
}

/** Reads an answer to its end, on a connection of its own. `onChunk` sees each piece as it comes. */
export function readStream(options: {
  readonly url: string;
  readonly onChunk?: (text: string) => void;
}): Promise<LongOutcome> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let bytes = 0;
    const end = (outcome: string): void => resolve({ outcome, bytes, elapsedMs: performance.now() - startedAt });
    const outgoing = request(options.url, { agent: false });
    outgoing.setTimeout(silentMs, () => outgoing.destroy(new Error("silent for too long")));
    outgoing.on("error", (error) => end(error.message));
    outgoing.once("response", (response) => {
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        bytes += Buffer.byteLength(chunk);
        options.onChunk?.(chunk);
      });
      response.once("error", (error) => end(error.message));
      response.once("end", () => end(response.statusCode === 200 ? "complete" : `status ${response.statusCode}`));
    });
    outgoing.end();
  });
}

export interface WebSocketOutcome {
  /** It was established. */
  readonly isOpened: boolean;
  readonly sent: number;
  /** Messages that came back as they were. */
  readonly echoed: number;
  /** Who ended it. */
  readonly endedBy: "client" | "server";
  readonly closeCode: number;
}

/** Sends a message each `everyMs` to a server that echoes them, until the signal; waits for the last echo before it closes. */
export function talkByWebSocket(options: {
  readonly url: string;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly onOpen?: () => void;
}): Promise<WebSocketOutcome> {
  return new Promise((resolve) => {
    const socket = new WebSocket(options.url);
    let sent = 0;
    let echoed = 0;
    let isLeaving = false;
    let isOpened = false;
    let heardAt = performance.now();
    const leaveWhenAnswered = (): void => {
      const isSilent = performance.now() - heardAt > silentMs;
      if (!isLeaving && options.signal.aborted && (echoed === sent || isSilent)) {
        isLeaving = true;
        socket.close(1000);
      }
    };
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!options.signal.aborted) socket.send(`message ${sent++}`);
      leaveWhenAnswered();
    }, options.everyMs);
    socket.addEventListener("open", () => {
      isOpened = true;
      options.onOpen?.();
    });
    socket.addEventListener("message", (event) => {
      heardAt = performance.now();
      if (event.data === `message ${echoed}`) echoed += 1;
      leaveWhenAnswered();
    });
    socket.addEventListener("close", (event) => {
      clearInterval(timer);
      resolve({ isOpened, sent, echoed, endedBy: isLeaving ? "client" : "server", closeCode: event.code });
    });
  });
}
