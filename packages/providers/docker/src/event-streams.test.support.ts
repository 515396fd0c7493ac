import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import type { EngineClient, EngineRequest } from "@ctrlplane/images";

/** An engine's `GET /events`, whose other side is the test. */
export class EventStreams {
  /** One for each time it was opened. */
  readonly opened: { readonly request: EngineRequest; readonly stream: PassThrough }[] = [];
  /** Set: it is not opened. */
  refusal: Error | undefined;

  readonly stream: EngineClient["stream"] = (request) => {
    // As an answer, whose error nobody has to await.
    const stream = new PassThrough().on("error", () => undefined);
    this.opened.push({ request, stream });
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    // As a request that is aborted.
    request.signal?.addEventListener("abort", () => stream.destroy(new DOMException("aborted", "AbortError")));
    const socket = { unref: () => undefined };
    // All that is asked of it.
    return Promise.resolve(Object.assign(stream, { socket }) as unknown as IncomingMessage);
  };

  /** The one that was opened last. */
  get last(): PassThrough {
    const last = this.opened.at(-1);
    assert.ok(last !== undefined, "no stream was opened");
    return last.stream;
  }

  /** The engine tells of an event. */
  tell(id: string, Action: string): void {
    this.last.write(eventText(id, Action));
  }
}

/** An event of a container, as engines write it. */
export function eventText(id: string, Action: string): string {
  const Actor = { ID: id, Attributes: { "managed-by": "pctl", name: "shop-wéb" } };
  return `${JSON.stringify({ status: Action, id, Type: "container", Action, Actor, scope: "local" })}\n`;
}

export async function settled(what: string, isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !isDone(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(isDone(), what);
}

/** Whatever goes on without time has gone on. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
