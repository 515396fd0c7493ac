import type { Redactor } from "../errors/redaction.ts";
import type { Event, EventInput } from "../model/event.ts";
import type { Clock } from "../provider/context.ts";

/** The events of one run: numbered without gaps, masked, kept, and readable from the first on while they come. */
export class EventStream {
  readonly #of: { readonly stack: string; readonly env?: string };
  readonly #clock: Clock;
  readonly #redactor: Redactor;
  readonly #listener: ((event: Event) => void) | undefined;
  readonly #events: Event[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;
  #more: Promise<void> = this.#nextWake();

  constructor(
    of: { stack: string; env?: string },
    clock: Clock,
    redactor: Redactor,
    listener: ((event: Event) => void) | undefined,
  ) {
    this.#of = of;
    this.#clock = clock;
    this.#redactor = redactor;
    this.#listener = listener;
  }

  /** What was given out so far. */
  get events(): readonly Event[] {
    return this.#events;
  }

  push(input: EventInput): Event {
    return this.give(this.next(input));
  }

  /** The event as it will be given out if it is the next one: to be recorded before anybody sees it. */
  next(input: EventInput): Event {
    return {
      v: 1,
      seq: this.#events.length + 1,
      at: new Date(this.#clock.now()).toISOString(),
      ...this.#of,
      level: "info",
      ...input,
      message: this.#redactor.redact(input.message),
      data: redactData(input.data ?? {}, this.#redactor),
    };
  }

  /** What `next` made, with nothing given out in between. */
  give(event: Event): Event {
    this.#events.push(event);
    this.#listener?.(event);
    this.#signal();
    return event;
  }

  /** No event follows. */
  close(): void {
    this.#isClosed = true;
    this.#signal();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, void> {
    let next = 0;
    for (;;) {
      const more = this.#more;
      while (next < this.#events.length) {
        const event = this.#events[next];
        next += 1;
        if (event !== undefined) yield event;
      }
      if (this.#isClosed && next >= this.#events.length) return;
      await more;
    }
  }

  #signal(): void {
    const wake = this.#wake;
    this.#more = this.#nextWake();
    wake();
  }

  #nextWake(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function redactData(data: Readonly<Record<string, unknown>>, redactor: Redactor): Readonly<Record<string, unknown>> {
  const redact = (value: unknown): unknown => {
    if (typeof value === "string") return redactor.redact(value);
    if (Array.isArray(value)) return value.map(redact);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redact(inner)]));
  };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, redact(value)]));
}
