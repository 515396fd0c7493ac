import type { ProviderContext } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import type { ContainerEvents } from "./container-events.ts";
import { inspect } from "./containers.ts";
import type { ContainerDetails } from "./engine-types.ts";

/** A look is at most so old: an event may have been lost. */
const oldestMs = 2000;

export interface WatchParts {
  readonly engine: EngineClient;
  readonly events: ContainerEvents;
}

/** What `wait` made of one container, which is watched meanwhile. */
export async function watching<T>(
  parts: WatchParts,
  id: string,
  context: Pick<ProviderContext, "clock" | "signal">,
  wait: (container: WatchedContainer) => Promise<T>,
): Promise<T> {
  const container = new WatchedContainer(parts, id, context);
  const listener = { id, changed: () => container.tell() };
  parts.events.add(listener);
  try {
    return await wait(container);
  } finally {
    parts.events.remove(listener);
  }
}

/** One container from look to look. What is said of it was always said by an inspect; its events say when one is due. */
export class WatchedContainer {
  readonly #engine: EngineClient;
  readonly #events: ContainerEvents;
  readonly #id: string;
  readonly #context: Pick<ProviderContext, "clock" | "signal">;
  #change = new AbortController();
  #seen: ContainerDetails | undefined;
  #seenAt = 0;
  #isRemembered = false;

  constructor({ engine, events }: WatchParts, id: string, context: Pick<ProviderContext, "clock" | "signal">) {
    this.#engine = engine;
    this.#events = events;
    this.#id = id;
    this.#context = context;
  }

  /** Aborts once something happened to it since it was asked about. */
  get changed(): AbortSignal {
    return this.#change.signal;
  }

  /** Something happened to it. */
  tell(): void {
    this.#change.abort();
  }

  /** How it is; undefined: gone. As it was seen last where nothing happened to it since, and we would know. */
  async look(): Promise<ContainerDetails | undefined> {
    const isOld = this.#context.clock.monotonic() - this.#seenAt >= oldestMs;
    this.#isRemembered = this.#seen !== undefined && this.#events.isLive && !this.changed.aborted && !isOld;
    return this.#isRemembered ? this.#seen : this.ask();
  }

  /** How it is now; undefined: gone. */
  async ask(): Promise<ContainerDetails | undefined> {
    const { clock, signal } = this.#context;
    // Before it is asked: what happens meanwhile counts.
    this.#change = new AbortController();
    this.#seenAt = clock.monotonic();
    this.#isRemembered = false;
    this.#seen = await inspect(this.#engine, this.#id, signal);
    return this.#seen;
  }

  /** Whether it still runs as it was started then: asked again, unless the last look did and nothing happened since. */
  async isStill({ State }: ContainerDetails): Promise<boolean> {
    if (!this.#isRemembered && !this.changed.aborted) return true;
    const now = (await this.ask())?.State;
    return now?.Status === "running" && now.StartedAt === State.StartedAt;
  }

  /** Resolves after `ms`, or as soon as something happened to it. */
  async rest(ms: number): Promise<void> {
    const { clock, signal } = this.#context;
    this.#events.open();
    try {
      await clock.sleep(Math.max(0, ms), AbortSignal.any([signal, this.changed]));
    } catch (error) {
      signal.throwIfAborted();
      if (!this.changed.aborted) throw error;
    }
  }
}
