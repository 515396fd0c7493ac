import type { Invocation } from "../arguments/invocation.ts";
import { coloured, plain, wantsColour, type Paint } from "./paint.ts";

/** Where a command prints: results and progress to stdout, errors and questions to stderr. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Somebody sits at it: questions can be asked. */
  readonly isTerminal: boolean;
  readonly paint: Paint;
  readonly errorPaint: Paint;
  lines(lines: readonly string[]): void;
  errors(lines: readonly string[]): void;
  /** One JSON document, indented where a person reads it. */
  document(value: unknown): void;
  /** One JSON value on one line. */
  jsonLine(value: unknown): void;
}

/** The process's own streams, as the options want them. */
export function openOutput(invocation: Pick<Invocation, "flag">): Output {
  const { stdin, stdout, stderr, env } = process;
  const json = invocation.flag("json");
  const noColour = invocation.flag("no-color");
  return {
    json,
    quiet: invocation.flag("quiet"),
    debug: invocation.flag("debug"),
    isTerminal: stdin.isTTY && stdout.isTTY && !json,
    paint: wantsColour(stdout, env, noColour) ? coloured : plain,
    errorPaint: wantsColour(stderr, env, noColour) ? coloured : plain,
    lines: (lines) => void (lines.length > 0 && stdout.write(`${lines.join("\n")}\n`)),
    errors: (lines) => void (lines.length > 0 && stderr.write(`${lines.join("\n")}\n`)),
    document: (value) => void stdout.write(`${JSON.stringify(value, undefined, stdout.isTTY ? 2 : undefined)}\n`),
    jsonLine: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
  };
}

/**
 * When the reader of stdout has gone (`pctl logs | head`), there is nobody to tell. `endsQuietly`: nothing else is to be done either;
 * a change in contrast is carried to its end.
 */
export function surviveClosedPipe(endsQuietly: boolean): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (endsQuietly) process.exit(0);
  });
}
