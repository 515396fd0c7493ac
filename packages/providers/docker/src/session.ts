import { PassThrough, type Duplex } from "node:stream";
import type { ExecSession, Terminal } from "@ctrlplane/core/provider";
import { framesOf } from "./streams.ts";

export interface SessionParts {
  /** The hijacked connection: input goes into it, output comes out of it. */
  readonly connection: Duplex;
  /** With a terminal, output is not framed. */
  readonly isTerminal: boolean;
  readonly resize: (terminal: Terminal) => void;
  readonly kill: (signal: string) => void;
  /** Asked once the output has ended. */
  readonly exitCode: () => Promise<number>;
}

/** A command's streams over one connection of the engine. */
export function openSession({ connection, isTerminal, resize, kill, exitCode }: SessionParts): ExecSession {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const exit = pump(connection, isTerminal, stdout, stderr).then(exitCode);
  // Whoever does not ask for the code must not be ended by its rejection.
  exit.catch(() => undefined);
  return { stdin: connection, stdout, stderr, resize, kill, exit };
}

async function pump(connection: Duplex, isTerminal: boolean, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  try {
    if (isTerminal) for await (const data of connection as AsyncIterable<Buffer>) await write(stdout, data);
    else
      for await (const { stream, data } of framesOf(connection))
        await write(stream === "stdout" ? stdout : stderr, data);
  } finally {
    stdout.end();
    stderr.end();
  }
}

/** Waits for a reader that is slow, unless it is gone. */
function write(stream: PassThrough, data: Buffer): Promise<void> {
  if (stream.destroyed || stream.write(data)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
