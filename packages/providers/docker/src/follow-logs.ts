import type { LogLine, ProviderContext } from "@ctrlplane/core/provider";
import { followSource, LogPosition, type SourceParts } from "./follow-source.ts";
import type { LogSource } from "./log-lines.ts";
import { LogOrder } from "./log-order.ts";

export interface FollowParts extends Pick<SourceParts, "read"> {
  /** Replicas that there are now. */
  readonly sources: () => Promise<readonly LogSource[]>;
}

/** How often replicas are looked for that came meanwhile. */
const lookMs = 1000;
/** How long lines wait for those of others that were printed before them. */
const gatherMs = 100;
/** As many lines wait here at most; then the engine's logs are read no further. */
const mostWaiting = 20_000;

/**
 * Yields what replicas print in the order of time as it comes, also those that come later or start again, until the signal aborts; then it throws
 * the signal's reason. `positions`: how far each log was told, by the container's id.
 */
export async function* followLogs(
  { sources, read }: FollowParts,
  positions: Map<string, LogPosition>,
  { clock, signal }: Pick<ProviderContext, "clock" | "signal">,
): AsyncGenerator<LogLine> {
  const inbox = new Inbox();
  const open = new Set<string>();
  /** Starts that were read to their end. */
  const ended = new Map<string, string>();
  const pump = async (source: LogSource): Promise<void> => {
    const position = positions.get(source.id) ?? new LogPosition();
    positions.set(source.id, position);
    const parts = { read, monotonic: () => clock.monotonic() };
    for await (const lines of followSource(source, position, parts)) await inbox.put(lines);
    open.delete(source.id);
  };
  const look = async (): Promise<void> => {
    for (;;) {
      for (const source of await sources()) {
        const { id, startedAt } = source;
        if (open.has(id) || ended.get(id) === startedAt) continue;
        open.add(id);
        ended.set(id, startedAt);
        pump(source).catch((error: unknown) => inbox.fail(error));
      }
      await clock.sleep(lookMs, signal);
    }
  };
  look().catch((error: unknown) => inbox.fail(error));
  const order = new LogOrder();
  for (;;) {
    if (order.isEmpty) await inbox.filled();
    await clock.sleep(gatherMs, signal);
    const came = inbox.take();
    if (came.length === 0 && order.isEmpty) inbox.rethrow();
    yield* order.turn(came);
  }
}

/** Where lines of all replicas arrive; who brings more than there is room for waits. */
class Inbox {
  #lines: LogLine[] = [];
  #failure: { readonly error: unknown } | undefined;
  #reader: (() => void) | undefined;
  #writers: (() => void)[] = [];

  async put(lines: readonly LogLine[]): Promise<void> {
    for (const line of lines) this.#lines.push(line);
    this.#reader?.();
    if (this.#lines.length >= mostWaiting) await new Promise<void>((resolve) => void this.#writers.push(resolve));
  }

  /** Whoever takes is told. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reader?.();
  }

  /** Something is there to be taken. */
  async filled(): Promise<void> {
    if (this.#lines.length > 0 || this.#failure !== undefined) return;
    await new Promise<void>((resolve) => (this.#reader = resolve));
    this.#reader = undefined;
  }

  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** All that is there. */
  take(): readonly LogLine[] {
    const lines = this.#lines;
    this.#lines = [];
    for (const resume of this.#writers.splice(0)) resume();
    return lines;
  }
}
