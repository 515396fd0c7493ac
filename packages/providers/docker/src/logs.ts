import type { IncomingMessage } from "node:http";
import type { LogLine, LogsRequest, ProviderContext } from "@ctrlplane/core/provider";
import { mapEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { findContainers, inspect, isReplica, nameOf } from "./containers.ts";
import type { ContainerSummary } from "./engine-types.ts";
import { followLogs } from "./follow-logs.ts";
import { dockerLabel } from "./labels.ts";
import { isRetired } from "./names.ts";
import { framesOf } from "./streams.ts";

/** A container whose log is read. */
export interface LogSource {
  readonly id: string;
  /** As the user knows it. */
  readonly name: string;
  readonly isTerminal: boolean;
  readonly startedAt: string;
}

/** Lines of all replicas, those that are there in the order of their times; with `follow` then as they come. */
export async function* readLogs(
  engine: EngineClient,
  request: LogsRequest,
  context: ProviderContext,
): AsyncGenerator<LogLine> {
  const { signal } = context;
  try {
    const sources = await sourcesOf(engine, request, signal);
    const past = await Promise.all(sources.map((each) => pastOf(engine, each, request, signal)));
    yield* past.flat().sort((a, b) => compare(a.at ?? "", b.at ?? ""));
    if (!request.follow || request.previous) return;
    // Each has its own: they were not read at one moment.
    const seen = new Map(sources.map(({ id }, index) => [id, past[index]?.at(-1)?.at ?? request.since ?? ""]));
    const read = (source: LogSource, since: string): AsyncGenerator<LogLine> =>
      linesOf(engine, source, { follow: true, ...(since === "" ? {} : { since: seconds(since) }) }, signal);
    yield* followLogs({ sources: () => sourcesOf(engine, request, signal), read }, seen, context);
  } catch (error) {
    if (request.follow && signal.aborted) return;
    throw mapEngineError(error, `the logs of ${request.instance.name}`);
  }
}

async function sourcesOf(
  engine: EngineClient,
  request: LogsRequest,
  signal: AbortSignal,
): Promise<readonly LogSource[]> {
  const { instance, deployment, replica } = request;
  const found = (await findContainers(engine, instance.name, signal)).filter(isReplica);
  const wanted = found.filter((each) => {
    if (deployment !== undefined) return each.Labels?.[dockerLabel.deployment] === deployment;
    return !isRetired(nameOf(each));
  });
  const named = wanted.filter((each) => replica === undefined || nameWithout(each) === replica);
  const details = await Promise.all(named.map((each) => inspect(engine, each.Id, signal)));
  return details.flatMap((each) => {
    if (each === undefined) return [];
    const name = each.Name.slice(1).replace(/\.(old|new)-[0-9a-f]{8}$/, "");
    return { id: each.Id, name, isTerminal: each.Config.Tty, startedAt: each.State.StartedAt };
  });
}

function nameWithout(container: ContainerSummary): string {
  return nameOf(container).replace(/\.(old|new)-[0-9a-f]{8}$/, "");
}

async function pastOf(
  engine: EngineClient,
  source: LogSource,
  { since, tail, previous }: LogsRequest,
  signal: AbortSignal,
): Promise<LogLine[]> {
  const query = {
    ...(since === undefined ? {} : { since: seconds(since) }),
    ...(previous ? { until: seconds(source.startedAt) } : {}),
    ...(tail === undefined || previous ? {} : { tail }),
  };
  const lines: LogLine[] = [];
  for await (const line of linesOf(engine, source, query, signal)) lines.push(line);
  return previous && tail !== undefined ? lines.slice(-tail) : lines;
}

async function* linesOf(
  engine: EngineClient,
  source: LogSource,
  options: Readonly<Record<string, string | number | boolean>>,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const query = { stdout: true, stderr: true, timestamps: true, ...options };
  const path = `/containers/${segment(source.id)}/logs`;
  const response = await unlessMissing(engine.stream({ method: "GET", path, query, signal }));
  if (response === undefined) return;
  const lines = source.isTerminal ? terminalLines(response) : framedLines(response);
  for await (const line of lines) yield { ...line, replica: source.name };
}

/** Lines without their ends. Each frame is a message with its time; a long line is several messages. */
async function* framedLines(response: IncomingMessage) {
  const parts = { stdout: "", stderr: "" };
  const times = { stdout: "", stderr: "" };
  for await (const { stream, data } of framesOf(response)) {
    const text = data.toString("utf8");
    const end = text.indexOf(" ");
    if (parts[stream] === "") times[stream] = text.slice(0, end);
    parts[stream] += text.slice(end + 1);
    if (!text.endsWith("\n")) continue;
    yield { at: times[stream], stream, text: parts[stream].slice(0, -1) };
    parts[stream] = "";
  }
  for (const stream of ["stdout", "stderr"] as const) {
    if (parts[stream] !== "") yield { at: times[stream], stream, text: parts[stream] };
  }
}

/** What was printed to a terminal is not framed, and its lines end as a terminal wants it. */
async function* terminalLines(response: IncomingMessage) {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const data of response as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(data, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const end = line.indexOf(" ");
      yield { at: line.slice(0, end), stream: "both" as const, text: line.slice(end + 1).replace(/\r$/, "") };
    }
  }
}

/** The last lines of one container, oldest first. */
export async function logTail(
  engine: EngineClient,
  container: { readonly id: string; readonly name: string },
  count: number,
): Promise<readonly string[]> {
  const source = { ...container, isTerminal: false, startedAt: "" };
  const lines: string[] = [];
  for await (const { text } of linesOf(engine, source, { tail: count }, AbortSignal.timeout(5000))) lines.push(text);
  return lines;
}

/** As the API wants times: seconds since the epoch, with nine digits behind the point. */
function seconds(iso: string): string {
  const fraction = /\.(\d{1,9})/.exec(iso)?.[1] ?? "";
  return `${Math.floor(Date.parse(iso) / 1000)}.${fraction.padEnd(9, "0")}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
