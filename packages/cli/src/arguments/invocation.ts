import type { CommandDefinition } from "./definition.ts";
import { UsageError } from "./usage-error.ts";
import { parseDuration } from "./values.ts";

/** A command line, understood. */
export class Invocation {
  readonly command: CommandDefinition;
  readonly positionals: readonly string[];
  /** The command to run in a replica, for `exec` and `run`. */
  readonly rest: readonly string[];
  readonly #options: ReadonlyMap<string, readonly string[]>;

  constructor(
    command: CommandDefinition,
    options: ReadonlyMap<string, readonly string[]>,
    positionals: readonly string[],
    rest: readonly string[] = [],
  ) {
    this.command = command;
    this.positionals = positionals;
    this.rest = rest;
    this.#options = options;
  }

  flag(long: string): boolean {
    return this.#options.has(long);
  }

  /** The last value given. */
  text(long: string): string | undefined {
    return this.#options.get(long)?.at(-1);
  }

  list(long: string): readonly string[] {
    return this.#options.get(long) ?? [];
  }

  /** Throws a usage error unless it is a whole number from `least` on. */
  integer(long: string, least = 0): number | undefined {
    const text = this.text(long);
    if (text === undefined) return undefined;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new UsageError(`--${long} wants a whole number from ${least} on, got '${text}'`);
    }
    return value;
  }

  /** In milliseconds. Throws a usage error unless it is one of `30`, `500ms`, `2m`, `1h`, `1d`. */
  durationMs(long: string): number | undefined {
    const text = this.text(long);
    if (text === undefined) return undefined;
    const value = parseDuration(text);
    if (value === undefined) throw new UsageError(`--${long} wants a duration such as 30s or 5m, got '${text}'`);
    return value;
  }
}
