import { spawn } from "node:child_process";
import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** Kept of what `ssh` says. */
const keptCharacters = 8 * 1024;

export interface SshOutcome {
  /** 0 where it went well. */
  readonly code: number;
  /** On standard error. */
  readonly said: string;
}

/**
 * Runs `ssh` to its end, or until it goes to the background. Its words come in English. It is no part of the terminal's foreground: Ctrl-C, which lets us
 * finish the step in hand, must not cut the connection that this needs. Aborted before its end, it is ended and the promise rejects with the signal's reason.
 */
export function runSsh(args: readonly string[], signal?: AbortSignal): Promise<SshOutcome> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: "C" };
    const child = spawn("ssh", args, { stdio: ["ignore", "ignore", "pipe"], detached: true, env });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-keptCharacters);
    });
    const stop = (): void => void child.kill();
    signal?.addEventListener("abort", stop);
    child.once("error", (error) => reject(noSsh(error)));
    child.once("close", (code) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted === true && code !== 0) reject(signal.reason as Error);
      else resolve({ code: code ?? 255, said });
    });
  });
}

/** `ssh` could not be started. */
function noSsh(cause: Error): CtrlPlaneError {
  return new CtrlPlaneError("UNSUPPORTED", `the program \`ssh\` cannot be started: ${cause.message}`, {
    cause,
    hint: "Install OpenSSH's client on this machine (Debian: openssh-client).",
  });
}
