import { readdirSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../errors.ts";
import { replicaFiles } from "../layout.ts";
import { LogFile } from "./log-file.ts";
import type { TimedLine } from "./log-file.ts";

/** All that one replica printed and still prints: rotated files and the current one. */
export class ReplicaLog {
  readonly name: string;
  readonly #folder: string;
  #current: LogFile | undefined;
  #last: Pick<TimedLine, "at" | "run"> = { at: undefined, run: undefined };

  /** `folder` is the replica's. */
  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.name = name;
  }

  close(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  /** Everything so far, oldest first; what comes later is `newLines`'. A last line that is not complete counts where `isOver`. */
  *allLines(isOver: boolean): Generator<TimedLine> {
    for (const name of rotatedNames(this.#folder)) {
      const file = LogFile.open(join(this.#folder, name));
      if (file === undefined) continue;
      try {
        yield* this.#follow(file.lines(this.#last.run));
        yield* this.#restOf(file);
      } finally {
        file.close();
      }
    }
    yield* this.newLines();
    if (isOver) yield* this.rest();
  }

  /** What was printed since the last reading. */
  *newLines(): Generator<TimedLine> {
    this.#current ??= LogFile.open(replicaFiles(this.#folder).log);
    if (this.#current === undefined) return;
    if (this.#current.wasEmptied) yield* this.#finishCopy(this.#current);
    yield* this.#follow(this.#current.lines(this.#last.run));
  }

  *rest(): Generator<TimedLine> {
    if (this.#current !== undefined) yield* this.#restOf(this.#current);
  }

  /** It was copied to `log.1` and emptied: what was not read of it yet stands there. */
  *#finishCopy(current: LogFile): Generator<TimedLine> {
    const copy = LogFile.open(`${replicaFiles(this.#folder).log}.1`);
    if (copy !== undefined) {
      try {
        copy.continue(current);
        yield* this.#follow(copy.lines(this.#last.run));
        yield* this.#restOf(copy);
      } finally {
        copy.close();
      }
    }
    current.restart();
  }

  *#follow(lines: Iterable<TimedLine>): Generator<TimedLine> {
    for (const line of lines) {
      // What comes before the first mark of a file is no older than what came before it.
      this.#last = { at: line.at ?? this.#last.at, run: line.run ?? this.#last.run };
      yield { ...this.#last, text: line.text };
    }
  }

  *#restOf(file: LogFile): Generator<TimedLine> {
    const rest = file.rest(this.#last);
    if (rest !== undefined) yield rest;
  }
}

/** `log.3`, `log.2`, `log.1`: oldest first. */
function rotatedNames(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^log\.\d+$/.test(name));
    return names.sort((a, b) => Number(b.slice(4)) - Number(a.slice(4)));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
