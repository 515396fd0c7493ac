import type { LogLine } from "@ctrlplane/core/provider";

/** Which of two lines was printed first, for `sort`. */
export function byTime({ at: a = "" }: LogLine, { at: b = "" }: LogLine): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Brings lines of several replicas into the order of their times, although they come by several ways: each is held until the
 * lines that came a turn later are there, too, and no longer.
 */
export class LogOrder {
  #held: LogLine[] = [];

  /** Nothing is held back. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** What came since the last turn; gives what is told now. */
  turn(came: readonly LogLine[]): readonly LogLine[] {
    const all = this.#held.concat(came).sort(byTime);
    const last = this.#held.at(-1);
    if (came.length === 0 || last === undefined) {
      this.#held = came.length === 0 ? [] : all;
      return came.length === 0 ? all : [];
    }
    const end = all.findLastIndex((line) => byTime(line, last) <= 0) + 1;
    this.#held = all.slice(end);
    return all.slice(0, end);
  }
}
