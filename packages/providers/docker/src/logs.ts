import type { LogLine, LogsRequest, ProviderContext } from "@ctrlplane/core/provider";
import { mapEngineError, type EngineClient } from "@ctrlplane/images";
import { isLegacy } from "./adoption.ts";
import { findContainers, inspect, isReplica, nameOf } from "./containers.ts";
import { followLogs } from "./follow-logs.ts";
import { LogPosition, overlapMs } from "./follow-source.ts";
import { dockerLabel } from "./labels.ts";
import { apiTime, lineBatches, type LogSource } from "./log-lines.ts";
import { byTime } from "./log-order.ts";
import { isRetired } from "./names.ts";

/** Lines of all replicas, those that are there in the order of their times; with `follow` then as they come. */
export async function* readLogs(
  engine: EngineClient,
  request: LogsRequest,
  context: ProviderContext,
): AsyncGenerator<LogLine> {
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  try {
    const sources = await sourcesOf(engine, request, signal);
    // Each goes on where its own was read to: they were not read at one moment.
    const positions = new Map(sources.map(({ id }) => [id, new LogPosition(request.since)]));
    const past = await Promise.all(
      sources.map((each) => pastOf(engine, each, request, positions.get(each.id), signal)),
    );
    yield* past.flat().sort(byTime);
    if (!request.follow || request.previous) return;
    const read = (source: LogSource, since: string): AsyncGenerator<readonly LogLine[]> => {
      const query = { follow: true, ...(since === "" ? {} : { since: apiTime(since, overlapMs) }) };
      return lineBatches(engine, source, query, signal);
    };
    yield* followLogs({ sources: () => sourcesOf(engine, request, signal), read }, positions, { ...context, signal });
  } catch (error) {
    if (request.follow && context.signal.aborted) return;
    throw mapEngineError(error, `the logs of ${request.instance.name}`);
  } finally {
    over.abort();
  }
}

async function sourcesOf(
  engine: EngineClient,
  request: LogsRequest,
  signal: AbortSignal,
): Promise<readonly LogSource[]> {
  const { instance, deployment, replica } = request;
  const found = (await findContainers(engine, instance.name, signal)).filter(
    (each) => isReplica(each) || isLegacy(each),
  );
  const wanted = found.filter((each) => {
    if (deployment !== undefined) return each.Labels?.[dockerLabel.deployment] === deployment;
    return !isRetired(nameOf(each));
  });
  const named = wanted.filter((each) => replica === undefined || plainName(nameOf(each)) === replica);
  const details = await Promise.all(named.map((each) => inspect(engine, each.Id, signal)));
  return details.flatMap((each) => {
    if (each === undefined) return [];
    const name = plainName(each.Name.slice(1));
    return { id: each.Id, name, isTerminal: each.Config.Tty, startedAt: each.State.StartedAt };
  });
}

function plainName(name: string): string {
  return name.replace(/\.(old|new)-[0-9a-f]{8}$/, "");
}

async function pastOf(
  engine: EngineClient,
  source: LogSource,
  { since, tail, previous }: LogsRequest,
  position: LogPosition | undefined,
  signal: AbortSignal,
): Promise<LogLine[]> {
  const query = {
    ...(since === undefined ? {} : { since: apiTime(since) }),
    ...(previous ? { until: apiTime(source.startedAt) } : {}),
    // One is read in any case: it says where to go on.
    ...(tail === undefined || previous ? {} : { tail: Math.max(1, tail) }),
  };
  const found: LogLine[] = [];
  for await (const lines of lineBatches(engine, source, query, signal)) for (const line of lines) found.push(line);
  for (const line of found) position?.tell(line);
  return tail === undefined ? found : tail === 0 ? [] : found.slice(-tail);
}
