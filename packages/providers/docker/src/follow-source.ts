import type { LogLine } from "@ctrlplane/core/provider";
import type { LogSource } from "./log-lines.ts";

/** Longer than this nothing came, and we are late by more than a second: then lines may have been left out. */
const suspiciousMs = 100;
const lateMs = 1000;

export interface SourceParts {
  /** What one prints from this time on (inclusive, perhaps from a little earlier on; empty: from its beginning), until it ends. */
  readonly read: (source: LogSource, since: string) => AsyncIterable<readonly LogLine[]>;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
}

/** Two streams of a container are written by two hands: one may stand a little later in the log than its time says. */
export const overlapMs = 1000;

/** How far a container's log was told: by stream, because the times of two streams are not in order. */
export class LogPosition {
  readonly #begin: string;
  #told = { stdout: "", stderr: "", both: "" };
  #before = this.#told;
  #newest: Pick<LogLine, "at" | "stream"> = { stream: "both" };

  /** `begin`: where nothing was told yet. */
  constructor(begin = "") {
    this.#begin = begin;
  }

  /** Time of the newest line that was told; empty: none. */
  get newest(): string {
    return this.#newest.at ?? "";
  }

  /** From when on the log is read next. */
  get since(): string {
    return this.#newest.at ?? this.#begin;
  }

  /** The log is read from here on: what comes up to here was told. */
  mark(): Pick<LogLine, "at" | "stream"> {
    this.#before = { ...this.#told };
    return this.#newest;
  }

  /** False where it was told before the mark. */
  tell({ at = "", stream }: Pick<LogLine, "at" | "stream">): boolean {
    if (at !== "" && at <= this.#before[stream]) return false;
    this.#told = { ...this.#told, [stream]: at };
    if (at > this.newest) this.#newest = { at, stream };
    return true;
  }
}

/**
 * What a container prints from its position on. An engine whose follower is slower than what is printed goes on with the newest file
 * of the log once that was rotated, and says nothing. So where lines may be missing the log is read again from the last one that
 * was told on: files that are still there hold the rest. Where that last line itself is gone, so may be what followed it: then a line
 * with `missed` says from when until when.
 */
export async function* followSource(
  source: LogSource,
  position: LogPosition,
  { read, monotonic }: SourceParts,
): AsyncGenerator<readonly LogLine[]> {
  const lateness = new Lateness();
  for (let isDoubtful = true; isDoubtful;) {
    isDoubtful = false;
    const last = position.mark();
    let isSeenAgain = last.at === undefined;
    for await (const lines of read(source, position.since)) {
      const fresh: LogLine[] = [];
      for (const line of lines) {
        isSeenAgain ||= line.at === last.at;
        // What follows the last one was just read from the files.
        isDoubtful = position.newest !== (last.at ?? "") && lateness.mayMiss(position.newest, line.at ?? "");
        if (isDoubtful) break;
        if (!position.tell(line)) continue;
        if (!isSeenAgain && isBeyond(last, line)) {
          fresh.push(missed(source, last.at ?? "", line));
          isSeenAgain = true;
        }
        fresh.push(line);
      }
      if (fresh.length > 0) yield fresh;
      if (isDoubtful) break;
      if (position.newest !== "") lateness.note(monotonic() - Date.parse(position.newest));
    }
  }
}

/** Whether `last` would have stood before this line in the log. */
function isBeyond(last: Pick<LogLine, "at" | "stream">, line: LogLine): boolean {
  const { at: from = "" } = last;
  const { at = "" } = line;
  return line.stream === last.stream ? at > from : Date.parse(at) - Date.parse(from) > overlapMs;
}

/** Whether we read lines long after they were printed, and what then counts as a gap. The engine's clock need not be ours: the smallest difference is none. */
class Lateness {
  #smallest = Infinity;
  #isLate = false;
  /** The longest silence that was real. */
  #realMs = suspiciousMs;

  note(differenceMs: number): void {
    this.#smallest = Math.min(this.#smallest, differenceMs);
    this.#isLate = differenceMs - this.#smallest > lateMs;
    if (!this.#isLate) this.#realMs = suspiciousMs;
  }

  /** Each silence is doubted once: what is read again shows what is true, and shorter ones are believed from then on. */
  mayMiss(before: string, after: string): boolean {
    const gapMs = Date.parse(after) - Date.parse(before);
    if (!this.#isLate || !(gapMs > this.#realMs)) return false;
    this.#realMs = gapMs * 2;
    return true;
  }
}

function missed({ name }: LogSource, from: string, { at = "", stream }: LogLine): LogLine {
  const text = `what it printed between ${from} and ${at} was gone before it could be read: its log was rotated`;
  return { at, replica: name, stream, text, missed: { from, until: at } };
}
