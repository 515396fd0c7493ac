import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import type { LogLine, LogsRequest } from "@ctrlplane/core/provider";
import { errnoOf } from "../errors.ts";
import { layout } from "../layout.ts";
import type { TimedLine } from "./log-file.ts";
import { ReplicaLog } from "./replica-log.ts";
import { logSources } from "./sources.ts";

/** How often files are looked at where the system has no watch left to give. */
const pollMs = 500;

/**
 * What is printed from now on, by replicas that come later too, until the signal aborts. `logs` are those that were read so
 * far, by id; the caller closes them. Lines are timed when they are seen.
 */
export async function* followLogs(
  dir: string,
  request: LogsRequest,
  logs: Map<string, ReplicaLog>,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const lines: LogLine[] = [];
  const watches = new Map<string, Watch>();
  let wake = (): void => undefined;

  const take = (log: ReplicaLog, found: Iterable<TimedLine>): void => {
    for (const { text } of found) lines.push({ at: new Date().toISOString(), replica: log.name, stream: "both", text });
    wake();
  };
  const discover = (): void => {
    const sources = logSources(dir, request);
    for (const { id, name, folder } of sources) {
      if (watches.has(id)) continue;
      const log = logs.get(id) ?? new ReplicaLog(folder, name);
      logs.set(id, log);
      watches.set(
        id,
        watchFolder(folder, () => take(log, log.newLines())),
      );
      take(log, log.newLines());
    }
    for (const [id, watching] of watches) {
      const log = logs.get(id);
      if (log === undefined || sources.some((each) => each.id === id)) continue;
      // Removed: its file is still open here, and nothing will be added.
      take(log, log.newLines());
      take(log, log.rest());
      watching.close();
      watches.delete(id);
      log.close();
      logs.delete(id);
    }
  };
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  const replicas = watchFolder(layout(dir).replicas, discover);
  try {
    discover();
    while (!signal.aborted) {
      yield* lines.splice(0);
      if (lines.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    replicas.close();
    for (const each of watches.values()) each.close();
  }
}

interface Watch {
  close(): void;
}

/** Calls back when something in the folder changes; by looking at it now and then where it cannot be watched. */
function watchFolder(folder: string, onChange: () => void): Watch {
  let watcher: FSWatcher;
  try {
    watcher = watch(folder, onChange);
  } catch (error) {
    if (!["ENOSPC", "EMFILE", "ENOENT"].includes(errnoOf(error) ?? "")) throw error;
    const timer = setInterval(onChange, pollMs);
    return { close: () => clearInterval(timer) };
  }
  // The folder itself went away: what is known of it was read already.
  watcher.on("error", () => watcher.close());
  return watcher;
}
