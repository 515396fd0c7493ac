import { connect } from "node:net";
import { LoadRecord, type LoadReport } from "./load-report.ts";

export interface TcpClientsOptions {
  /** Of this machine. */
  readonly port: number;
  /** Of short conversations: each a connection of its own, one line and its answer. Open loop. */
  readonly ratePerSecond: number;
  /** How many connections stay, with a line each 100 ms, until the service ends them; then they are opened again. */
  readonly staying: number;
}

export interface TcpReport {
  readonly short: LoadReport;
  /** Staying connections that the service ended. */
  readonly endedAtDrain: number;
  /** Why a connection that was to stay was never answered; those that were have no reason here, however they ended. */
  readonly refused: readonly string[];
  /** Versions that answered. */
  readonly versions: readonly string[];
}

export interface TcpClients {
  /** Begins nothing more, and resolves when all that was begun has ended. */
  end(): Promise<TcpReport>;
}

const silentMs = 60_000;
const everyMs = 100;

/** Clients of the TCP echo at work until `end`. None tries anything twice. */
export function startTcpClients({ port, ratePerSecond, staying }: TcpClientsOptions): TcpClients {
  const over = new AbortController();
  const versions = new Set<string>();
  const record = new LoadRecord();
  const begun: Promise<void>[] = [];
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * ratePerSecond);
    while (begun.length < due) {
      const scheduledAt = startedAt + (begun.length * 1000) / ratePerSecond;
      record.lag(performance.now() - scheduledAt);
      begun.push(once(port, begun.length, scheduledAt, record, versions));
    }
  }, 1000 / ratePerSecond);

  let endedAtDrain = 0;
  const refused: string[] = [];
  const stay = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const seen = await staysOn(port, over.signal);
      if (seen.answers === 0) refused.push(seen.why);
      else if (seen.endedBy === "server") endedAtDrain += 1;
    }
  };
  const stayed = Array.from({ length: staying }, stay);
  return {
    async end() {
      clearInterval(timer);
      record.sendingMs = performance.now() - startedAt;
      over.abort();
      await Promise.all([...begun, ...stayed]);
      return { short: record.report(), endedAtDrain, refused, versions: [...versions].toSorted() };
    },
  };
}

/** A line and its answer, on a connection of its own. */
function once(
  port: number,
  number: number,
  scheduledAt: number,
  record: LoadRecord,
  versions: Set<string>,
): Promise<void> {
  return new Promise((resolve) => {
    let answer = "";
    let isOver = false;
    const end = (failure: string | undefined): void => {
      if (isOver) return;
      isOver = true;
      socket.destroy();
      if (failure === undefined) record.ok(performance.now() - scheduledAt);
      else record.failed(failure);
      resolve();
    };
    record.sent();
    const socket = connect({ host: "127.0.0.1", port });
    socket.setEncoding("utf8");
    socket.setTimeout(silentMs, () => end("timeout"));
    socket.on("connect", () => socket.write(`line ${number}\n`));
    socket.on("data", (text: string) => {
      answer += text;
      if (!answer.endsWith("\n")) return;
      const [, said, version = ""] = /^(line \d+) (\S+)\n$/.exec(answer) ?? [];
      if (said !== `line ${number}`) return end(`answered ${answer}`);
      versions.add(version);
      end(undefined);
    });
    socket.on("error", (error) => end("code" in error ? String(error.code) : error.message));
    socket.on("close", () => end("closed without an answer"));
  });
}

/** Until the service, or the signal, ends it. */
function staysOn(
  port: number,
  signal: AbortSignal,
): Promise<{ readonly answers: number; readonly endedBy: "client" | "server"; readonly why: string }> {
  return new Promise((resolve) => {
    let answers = 0;
    let why = "closed without an answer";
    const socket = connect({ host: "127.0.0.1", port });
    const timer = setInterval(() => {
      // Whoever leaves has had an answer, so that one who never gets any is told.
      if (signal.aborted && answers > 0) socket.destroy();
      else if (socket.readyState === "open" && !signal.aborted) socket.write("still here\n");
    }, everyMs);
    socket.setTimeout(silentMs, () => socket.destroy(new Error("silent for too long")));
    socket.on("data", (text: Buffer) => (answers += text.toString().split("\n").length - 1));
    socket.on("error", (error) => (why = "code" in error ? String(error.code) : error.message));
    socket.on("close", () => {
      clearInterval(timer);
      resolve({ answers, endedBy: signal.aborted ? "client" : "server", why });
    });
  });
}
