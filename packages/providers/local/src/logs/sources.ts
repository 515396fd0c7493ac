import { join } from "node:path";
import type { LogsRequest } from "@ctrlplane/core/provider";
import { layout, replicaFiles } from "../layout.ts";
import { readJsonFile, readVolatileJson } from "../process/json-file.ts";
import { hasSchedule } from "../schedule/files.ts";
import { namesIn } from "../supervisor/read.ts";
import type { ReplicaRecord, ReplicaState } from "../supervisor/records.ts";

/** A replica, there or removed, whose log is asked for. */
export interface LogSource {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  /** Number of its current or last run. */
  readonly run: number;
}

/**
 * Replicas that a request means, oldest first: those that are there; with a deployment all of it, removed ones included; a
 * replica that is named and not there any more is looked for among the removed ones.
 */
export function logSources(dir: string, request: LogsRequest): readonly LogSource[] {
  const paths = layout(dir);
  const { instance } = request;
  const present = read(paths.replicas, (id) => id.startsWith(instance.name)).filter((each) => matches(each, request));
  const archived = () => read(join(paths.archive, instance.name)).filter((each) => matches(each, request));
  if (request.deployment !== undefined) return [...archived(), ...present].map(sourceOf);
  if (present.length > 0 || request.replica === undefined) return present.map(sourceOf);
  return archived().slice(-1).map(sourceOf);
}

/** Runs of a job by a schedule that have ended, oldest first, as far as they are kept: asked for without more they are its log. */
export function endedRuns(dir: string, { instance, deployment, replica }: LogsRequest): readonly LogSource[] {
  if (deployment !== undefined || replica !== undefined || !hasSchedule(dir, instance.name)) return [];
  return read(join(layout(dir).archive, instance.name))
    .filter(({ record }) => record.instance === instance.name && record.scheduledAt !== undefined)
    .map(sourceOf);
}

interface Found {
  readonly folder: string;
  readonly record: ReplicaRecord;
}

function read(base: string, isWanted: (id: string) => boolean = () => true): readonly Found[] {
  const found = namesIn(base)
    .filter(isWanted)
    .flatMap((id): Found[] => {
      const folder = join(base, id);
      const record = readJsonFile<ReplicaRecord>(replicaFiles(folder).record);
      return record === undefined ? [] : [{ folder, record }];
    });
  return found.sort((a, b) => (a.record.createdAt < b.record.createdAt ? -1 : 1));
}

function matches({ record }: Found, { instance, deployment, replica }: LogsRequest): boolean {
  return (
    record.instance === instance.name &&
    (deployment === undefined || record.deployment === deployment) &&
    (replica === undefined || record.name === replica)
  );
}

function sourceOf({ folder, record }: Found): LogSource {
  const files = replicaFiles(folder);
  return {
    id: record.id,
    name: record.name,
    folder,
    run: readVolatileJson<ReplicaState>(files.state)?.run ?? 0,
  };
}
