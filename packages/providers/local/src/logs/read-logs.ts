import type { LogLine, LogsRequest, ProviderContext } from "@ctrlplane/core/provider";
import { mapError } from "../errors.ts";
import { followLogs } from "./follow-logs.ts";
import type { TimedLine } from "./log-file.ts";
import { ReplicaLog } from "./replica-log.ts";
import { endedRuns, logSources } from "./sources.ts";
import type { LogSource } from "./sources.ts";

/** `Provider.logs` of `local`: reads files alone, and needs no supervisor. */
export async function* readLogs(dir: string, request: LogsRequest, context: ProviderContext): AsyncGenerator<LogLine> {
  const logs = new Map<string, ReplicaLog>();
  try {
    // First those that are there: one that ends now is then in the archive.
    const present = logSources(dir, request);
    const runs = endedRuns(dir, request).filter(({ id }) => !present.some((each) => each.id === id));
    const sources = [...runs, ...present];
    for (const source of sources) logs.set(source.id, new ReplicaLog(source.folder, source.name));
    const past =
      runs.length === 0
        ? sources.map((source) => pastLines([source], logs, request))
        : [pastLines(request.previous ? sources.slice(-2, -1) : sources, logs, { ...request, previous: false })];
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

/** Of one replica, or of runs that are one log, one after the other. */
function* pastLines(
  sources: readonly LogSource[],
  logs: ReadonlyMap<string, ReplicaLog>,
  request: LogsRequest,
): Generator<NamedLine> {
  const lines = wantedLines(sources, logs, request);
  yield* request.tail === undefined ? lines : lastOf(lines, request.tail);
}

function* wantedLines(
  sources: readonly LogSource[],
  logs: ReadonlyMap<string, ReplicaLog>,
  { since, previous, follow }: LogsRequest,
): Generator<NamedLine> {
  const sinceMs = since === undefined ? undefined : Date.parse(since);
  for (const { id, run, name } of sources) {
    for (const line of logs.get(id)?.allLines(!follow) ?? []) {
      if (previous && line.run !== run - 1) continue;
      if (sinceMs === undefined || (line.at !== undefined && line.at >= sinceMs)) yield { ...line, replica: name };
    }
  }
}

function lastOf(lines: Iterable<NamedLine>, count: number): readonly NamedLine[] {
  const last: NamedLine[] = [];
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
