import type { Readable } from "node:stream";
import { unreachable } from "./errors.ts";

/** What a message of such an answer may say: why it ended early. */
export interface ErrorMessage {
  /** Deprecated since API 1.48. */
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/** Why the answer ended early, where this message says so. */
export function errorIn({ error, errorDetail }: ErrorMessage): string | undefined {
  return errorDetail?.message ?? error;
}

/**
 * The JSON messages of an answer that comes in pieces, one a line. Throws as the engine's client does where the connection
 * breaks; `description` is the client's.
 */
export async function* readMessages<T>(answer: Readable, description: string): AsyncGenerator<T> {
  let rest = "";
  for await (const piece of textOf(answer, description)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    // What the engine's API description promises for this path.
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as T;
}

async function* textOf(answer: Readable, description: string): AsyncGenerator<string> {
  answer.setEncoding("utf8");
  try {
    // With an encoding, pieces are text.
    yield* answer as AsyncIterable<string>;
  } catch (error) {
    throw unreachable(error, description);
  }
}
