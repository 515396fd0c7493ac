import { format } from "node:util";

/** A line of a daemon's log, which is its standard error. */
export function log(...words: readonly unknown[]): void {
  process.stderr.write(`${new Date().toISOString()} ${format(...words)}\n`);
}
