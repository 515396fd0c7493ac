import type { LogLine } from "@ctrlplane/core/provider";
import type { LogAnswer, LogArgs, ReplicaRecord } from "../protocol.ts";
import { replicasOf, waitFor, type Look, type Platform } from "./platform.ts";

/** Lines after those that the reader has; with `follow` waits for the next one. */
export function readLogs(platform: Platform, args: LogArgs, signal: AbortSignal): Promise<LogAnswer> {
  return waitFor(platform, signal, (): Look<LogAnswer> => {
    const all = linesOf(platform, args);
    const fresh = all.slice(args.after);
    if (fresh.length === 0 && args.follow) return {};
    return { value: { lines: args.after === 0 ? lastOfEach(fresh, args.tail) : fresh, after: all.length } };
  });
}

function linesOf(platform: Platform, args: LogArgs): readonly LogLine[] {
  const archived = platform.state.archive.filter((each) => each.instance === args.instance);
  const isWanted = (each: ReplicaRecord): boolean =>
    (args.deployment === undefined || each.deployment === args.deployment) &&
    (args.replica === undefined || each.name === args.replica);
  const records = [...(args.deployment === undefined ? [] : archived), ...replicasOf(platform, args.instance)].filter(
    isWanted,
  );
  const since = args.since === undefined ? 0 : Date.parse(args.since);
  return records
    .flatMap((each) => each.log.map((line) => ({ at: line.at, replica: each.name, text: line.text })))
    .filter((line) => line.at >= since)
    .toSorted((a, b) => a.at - b.at)
    .map((line) => ({ ...line, at: new Date(line.at).toISOString(), stream: "stdout" as const }));
}

function lastOfEach(lines: readonly LogLine[], tail: number | undefined): readonly LogLine[] {
  if (tail === undefined) return lines;
  const left = new Map<string, number>();
  const kept = lines.toReversed().filter((line) => {
    const count = (left.get(line.replica) ?? 0) + 1;
    left.set(line.replica, count);
    return count <= tail;
  });
  return kept.toReversed();
}
