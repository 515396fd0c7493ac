import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import type { Readable } from "node:stream";
import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** Kept of what a program says. */
const keptBytes = 8 * 1024;

/**
 * Starts `ssh`. Its words and those of the host come in English. It is no part of the terminal's foreground: Ctrl-C, which lets us
 * finish the step in hand, must not cut the connection that this needs.
 */
export function spawnSsh(args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn("ssh", args, { stdio, detached: true, env: { ...process.env, LC_ALL: "C" } });
}

/** The last words on a program's standard error or output, at any time. */
export function listen(stream: Readable | null): () => string {
  let said = "";
  stream?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-keptBytes);
  });
  return () => said;
}

export interface SshOutcome {
  /** 0 where it went well. */
  readonly code: number;
  /** On standard error. */
  readonly said: string;
  /** On standard output, where it was asked for. */
  readonly output: string;
}

/**
 * Runs `ssh` to its end. Aborted before its end, it is ended and the promise rejects with the signal's reason. An `ssh` that goes to the background
 * keeps its output open: only of another one may it be asked for.
 */
export function runSsh(
  args: readonly string[],
  signal?: AbortSignal,
  { asksOutput = false } = {},
): Promise<SshOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawnSsh(args, ["ignore", asksOutput ? "pipe" : "ignore", "pipe"]);
    const said = listen(child.stderr);
    const output = listen(child.stdout);
    const stop = (): void => void child.kill();
    signal?.addEventListener("abort", stop);
    child.once("error", (error) => reject(noSsh(error)));
    child.once("close", (code) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted === true && code !== 0) reject(signal.reason as Error);
      else resolve({ code: code ?? 255, said: said(), output: output() });
    });
  });
}

/** `ssh` could not be started. */
export function noSsh(cause: Error): CtrlPlaneError {
  return new CtrlPlaneError("UNSUPPORTED", `the program \`ssh\` cannot be started: ${cause.message}`, {
    cause,
    hint: "Install OpenSSH's client on this machine (Debian: openssh-client).",
  });
}
