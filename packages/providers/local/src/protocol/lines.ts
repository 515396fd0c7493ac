import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";

/** A line larger than this is refused: an environment of many 100 kB values fits. */
const largestLine = 64 * 1024 * 1024;

/** Tells each line that arrives, and, once, that there is a larger one than is read. */
export function readLines(socket: Socket, told: (line: string) => void, tooLarge: () => void): void {
  const decoder = new StringDecoder("utf8");
  // Of the line that is not whole yet.
  let parts: string[] = [];
  let size = 0;
  socket.on("data", (chunk) => {
    const [first = "", ...rest] = decoder.write(chunk).split("\n");
    parts.push(first);
    size += first.length;
    for (const next of rest) {
      const line = parts.join("");
      parts = [next];
      size = next.length;
      told(line);
    }
    if (size <= largestLine) return;
    parts = [];
    size = 0;
    tooLarge();
  });
}

/** One message: JSON holds no line end. */
export function writeLine(socket: Socket, message: object): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

export interface CallMessage {
  /** Of the connection's calls: its answer bears it. */
  readonly id: number;
  readonly operation: string;
  readonly body: unknown;
}

/** A call, or the word that its caller has gone. */
export type ToServer = CallMessage | { readonly id: number; readonly gone: true };

/** `error` is a `WireError`. */
export type ToClient =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: unknown };
