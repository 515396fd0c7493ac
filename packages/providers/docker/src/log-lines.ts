import type { IncomingMessage } from "node:http";
import type { LogLine } from "@ctrlplane/core/provider";
import { segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { frameBatches } from "./streams.ts";

/** A container whose log is read. */
export interface LogSource {
  readonly id: string;
  /** As the user knows it. */
  readonly name: string;
  readonly isTerminal: boolean;
  readonly startedAt: string;
}

type Read = Omit<LogLine, "replica">;

/** What a container printed, in the order in which the engine has it: lines that came at once together. Nothing where it is gone. `options`: of the API's call. */
export async function* lineBatches(
  engine: EngineClient,
  { id, name, isTerminal }: Pick<LogSource, "id" | "name" | "isTerminal">,
  options: Readonly<Record<string, string | number | boolean>>,
  signal: AbortSignal,
): AsyncGenerator<readonly LogLine[]> {
  const query = { stdout: true, stderr: true, timestamps: true, ...options };
  const path = `/containers/${segment(id)}/logs`;
  const response = await unlessMissing(engine.stream({ method: "GET", path, query, signal }));
  if (response === undefined) return;
  for await (const lines of isTerminal ? terminalLines(response) : framedLines(response))
    yield lines.map((line) => ({ ...line, replica: name }));
}

/** Lines without their ends. Each frame is a message with its time; a long line is several messages. */
async function* framedLines(response: IncomingMessage): AsyncGenerator<readonly Read[]> {
  const parts = { stdout: "", stderr: "" };
  const times = { stdout: "", stderr: "" };
  for await (const frames of frameBatches(response)) {
    const lines: Read[] = [];
    for (const { stream, data } of frames) {
      const text = data.toString("utf8");
      const end = text.indexOf(" ");
      if (parts[stream] === "") times[stream] = text.slice(0, end);
      parts[stream] += text.slice(end + 1);
      if (!text.endsWith("\n")) continue;
      lines.push({ at: times[stream], stream, text: parts[stream].slice(0, -1) });
      parts[stream] = "";
    }
    yield lines;
  }
  for (const stream of ["stdout", "stderr"] as const) {
    if (parts[stream] !== "") yield [{ at: times[stream], stream, text: parts[stream] }];
  }
}

/** What was printed to a terminal is not framed, and its lines end as a terminal wants it. */
async function* terminalLines(response: IncomingMessage): AsyncGenerator<readonly Read[]> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const data of response as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(data, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield lines.map((line) => {
      const end = line.indexOf(" ");
      return { at: line.slice(0, end), stream: "both", text: line.slice(end + 1).replace(/\r$/, "") };
    });
  }
}

/** The last lines of one container, oldest first. */
export async function logTail(
  engine: EngineClient,
  container: { readonly id: string; readonly name: string },
  count: number,
): Promise<readonly string[]> {
  const source = { ...container, isTerminal: false };
  const found: string[] = [];
  for await (const lines of lineBatches(engine, source, { tail: count }, AbortSignal.timeout(5000)))
    found.push(...lines.map(({ text }) => text));
  return found;
}

/** As the API wants times: seconds since the epoch, with nine digits behind the point. `earlierMs`: so much before. */
export function apiTime(iso: string, earlierMs = 0): string {
  const fraction = /\.(\d{1,9})/.exec(iso)?.[1] ?? "";
  return `${Math.floor((Date.parse(iso) - earlierMs) / 1000)}.${fraction.padEnd(9, "0")}`;
}
