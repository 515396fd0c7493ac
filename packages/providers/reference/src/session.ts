import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { ExecSession } from "@ctrlplane/core/provider";
import type { CommandResult } from "./platform/commands.ts";

/** A command that is carried out in one call: `cat` once its input has ended, all others at once. */
export function sessionOf(
  command: readonly string[] | undefined,
  carryOut: (stdin: string) => Promise<CommandResult>,
): ExecSession {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const run = async (): Promise<number> => {
    try {
      const result = await carryOut(command?.[0] === "cat" ? await text(stdin) : "");
      stdout.write(result.stdout);
      stderr.write(result.stderr);
      return result.exitCode;
    } finally {
      stdout.end();
      stderr.end();
    }
  };
  return { stdin, stdout, stderr, resize: () => undefined, kill: () => stdin.end(), exit: run() };
}
