import type { LogLine, LogsRequest, ProviderContext } from "@ctrlplane/core/provider";
import { mapError } from "../errors.ts";
import { followLogs } from "./follow-logs.ts";
import type { TimedLine } from "./log-file.ts";
import { ReplicaLog } from "./replica-log.ts";
import { logSources } from "./sources.ts";
import type { LogSource } from "./sources.ts";

/** `Provider.logs` of `local`: reads files alone, and needs no supervisor. */
export async function* readLogs(dir: string, request: LogsRequest, context: ProviderContext): AsyncGenerator<LogLine> {
  const logs = new Map<string, ReplicaLog>();
  try {
    const sources = logSources(dir, request);
    for (const source of sources) logs.set(source.id, new ReplicaLog(source.folder, source.name));
    const past = sources.map((source) => pastLines(source, logs.get(source.id), request));
    yield* merge(past, context.signal);
    if (request.follow && !request.previous) yield* followLogs(dir, request, logs, context.signal);
  } catch (error) {
    throw mapError(error, `the logs of ${request.instance.name}`);
  } finally {
    for (const log of logs.values()) log.close();
  }
}

interface NamedLine extends TimedLine {
  readonly replica: string;
}

function* pastLines(source: LogSource, log: ReplicaLog | undefined, request: LogsRequest): Generator<NamedLine> {
  if (log === undefined) return;
  const sinceMs = request.since === undefined ? undefined : Date.parse(request.since);
  const kept = select(log.allLines(!request.follow), (line) => {
    if (request.previous && line.run !== source.run - 1) return false;
    return sinceMs === undefined || (line.at !== undefined && line.at >= sinceMs);
  });
  for (const line of request.tail === undefined ? kept : lastOf(kept, request.tail))
    yield { ...line, replica: source.name };
}

function* select(lines: Iterable<TimedLine>, isWanted: (line: TimedLine) => boolean): Generator<TimedLine> {
  for (const line of lines) if (isWanted(line)) yield line;
}

function lastOf(lines: Iterable<TimedLine>, count: number): readonly TimedLine[] {
  const last: TimedLine[] = [];
  for (const line of lines) {
    last.push(line);
    // Trimmed in bulk: shifting line by line would be slow for long tails.
    if (last.length > 2 * count + 1000) last.splice(0, last.length - count);
  }
  return count === 0 ? [] : last.slice(-count);
}

/** The lines of all replicas by time; those of one stay in their order. */
function* merge(sources: readonly Iterator<NamedLine>[], signal: AbortSignal): Generator<LogLine> {
  const heads = sources.map((source) => source.next());
  for (;;) {
    if (signal.aborted) return;
    let first: number | undefined;
    for (const [index, head] of heads.entries()) {
      if (head.done === true) continue;
      const best = first === undefined ? undefined : heads[first];
      if (best === undefined || best.done === true || (head.value.at ?? 0) < (best.value.at ?? 0)) first = index;
    }
    const head = first === undefined ? undefined : heads[first];
    const source = first === undefined ? undefined : sources[first];
    if (first === undefined || head === undefined || head.done === true || source === undefined) return;
    yield toLogLine(head.value);
    heads[first] = source.next();
  }
}

export function toLogLine({ at, replica, text }: Omit<NamedLine, "run">): LogLine {
  return { ...(at === undefined ? {} : { at: new Date(at).toISOString() }), replica, stream: "both", text };
}
