import type { LogLine, ProviderContext } from "@ctrlplane/core/provider";
import type { LogSource } from "./logs.ts";

export interface FollowParts {
  /** Replicas that there are now. */
  readonly sources: () => Promise<readonly LogSource[]>;
  /** What one prints from this time on (ISO 8601, inclusive; empty: from its beginning), until it ends. */
  readonly read: (source: LogSource, since: string) => AsyncGenerator<LogLine>;
}

/** How often replicas are looked for that came meanwhile. */
const lookMs = 1000;

type Step =
  | { readonly kind: "line"; readonly id: string; readonly result: IteratorResult<LogLine, unknown> }
  | { readonly kind: "look" };

/**
 * Yields what replicas print as it comes, also those that come later or start again, until the signal aborts. `seen`: the time of
 * the last line that was told of a container, by its id.
 */
export async function* followLogs(
  { sources, read }: FollowParts,
  seen: Map<string, string>,
  { clock, signal }: Pick<ProviderContext, "clock" | "signal">,
): AsyncGenerator<LogLine> {
  const open = new Map<string, AsyncGenerator<LogLine>>();
  /** Starts that were read to their end. */
  const ended = new Map<string, string>();
  const pending = new Map<string, Promise<Step>>();
  const expect = (id: string, step: Promise<Step>): void => {
    // Once the signal aborts nobody waits for the others.
    step.catch(() => undefined);
    pending.set(id, step);
  };
  const nextOf = async (id: string, lines: AsyncGenerator<LogLine>): Promise<Step> => ({
    kind: "line",
    id,
    result: await lines.next(),
  });
  const look = async (): Promise<Step> => {
    await clock.sleep(lookMs, signal);
    return { kind: "look" };
  };
  const begin = async (): Promise<void> => {
    for (const source of await sources()) {
      const { id, startedAt } = source;
      if (open.has(id) || ended.get(id) === startedAt) continue;
      const lines = read(source, seen.get(id) ?? "");
      open.set(id, lines);
      ended.set(id, startedAt);
      expect(id, nextOf(id, lines));
    }
    expect("", look());
  };
  await begin();
  while (true) {
    const step = await Promise.race(pending.values());
    if (step.kind === "look") {
      await begin();
      continue;
    }
    const { id, result } = step;
    const lines = open.get(id);
    if (result.done === true || lines === undefined) {
      open.delete(id);
      pending.delete(id);
      continue;
    }
    expect(id, nextOf(id, lines));
    const { at = "" } = result.value;
    // The engine counts the time to begin at inclusively.
    if (at <= (seen.get(id) ?? "")) continue;
    seen.set(id, at);
    yield result.value;
  }
}
