import { label, managedBy } from "@ctrlplane/core/provider";
import { readMessages, type EngineClient } from "@ctrlplane/images";
import { labelled } from "./labels.ts";

/** Of `GET /events`, as the engine's API description (1.41) has it. */
interface ContainerEvent {
  readonly Actor: { readonly ID: string };
}

/** Is told when its container may be another than it was. */
interface Listener {
  /** The container's whole id. */
  readonly id: string;
  readonly changed: () => void;
}

type EventSource = Pick<EngineClient, "stream" | "description">;

const filters = {
  type: ["container"],
  ...labelled([label.managedBy, managedBy]),
  // Without those of `exec`, of which each health check makes three.
  event: ["start", "die", "oom", "health_status", "kill", "stop", "restart", "pause", "unpause", "destroy"],
};
const pauses = {
  /** After the stream broke, or could not be opened. */
  reopenMs: 1000,
  /** So long the stream stays for the next wait. */
  lingerMs: 2000,
};

/**
 * The events of one engine's containers, by one stream for all who wait for one of them. An event says when to look at a container, never how it is:
 * it may come late, or never where the connection is dead, and the engine begins to tell a moment after it has answered. Never throws; keeps no process alive.
 */
export class ContainerEvents {
  readonly #engine: EventSource;
  readonly #pauses: typeof pauses;
  readonly #listeners = new Set<Listener>();
  #open: AbortController | undefined;
  #isLive = false;
  #notBefore = 0;
  #linger: NodeJS.Timeout | undefined;

  /** `ms`: for tests. */
  constructor(engine: EventSource, ms: typeof pauses = pauses) {
    this.#engine = engine;
    this.#pauses = ms;
  }

  /** Whether events are told now: whoever waits has to look by itself where not. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** From now on it is told of events, and when they begin or cease to be told. There may be no stream yet: see `open`. */
  add(listener: Listener): void {
    clearTimeout(this.#linger);
    this.#listeners.add(listener);
  }

  /** The stream ends some time after the last one is gone. */
  remove(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || this.#open === undefined) return;
    this.#linger = setTimeout(() => this.close(), this.#pauses.lingerMs).unref();
  }

  /** Has the stream opened where there is none, and none broke a moment ago. */
  open(): void {
    if (this.#open !== undefined || performance.now() < this.#notBefore) return;
    const open = new AbortController();
    this.#open = open;
    this.#follow(open.signal)
      // A stream is no matter of those who wait: they look by themselves until there is one again.
      .catch(() => undefined)
      .finally(() => {
        if (this.#open !== open) return;
        this.close();
        this.#notBefore = performance.now() + this.#pauses.reopenMs;
        // At once: it may be the engine that died, which who waits is to see before another one is there.
        for (const each of this.#listeners) each.changed();
      });
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#open?.abort();
    this.#open = undefined;
    this.#isLive = false;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { description } = this.#engine;
    const answer = await this.#engine.stream({ method: "GET", path: "/events", query: { filters }, signal });
    // Who waits has timers of its own.
    answer.socket.unref();
    signal.throwIfAborted();
    this.#isLive = true;
    // What happened before is told by nobody.
    for (const each of this.#listeners) each.changed();
    for await (const { Actor } of readMessages<ContainerEvent>(answer, description))
      for (const each of this.#listeners) if (each.id === Actor.ID) each.changed();
  }
}
