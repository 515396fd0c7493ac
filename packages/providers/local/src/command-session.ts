import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { PassThrough, Writable } from "node:stream";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ExecRequest, ExecSession } from "@ctrlplane/core/provider";
import { bornIn } from "./cgroup/born-in.ts";
import type { GroupEntry } from "./cgroup/control-groups.ts";
import { errnoOf } from "./errors.ts";

export interface SessionRequest {
  readonly command: readonly string[];
  /** Absolute; exists. */
  readonly cwd: string;
  /** Complete: nothing is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: ExecRequest["terminal"] | undefined;
  /** Control groups that it is born in. Default: those of this process. */
  readonly groups?: GroupEntry;
  /** Ends the command when it aborts. */
  readonly signal: AbortSignal;
}

/** How long output may still come after a command ended: whatever it left running may hold its pipes for ever. */
const lastOutputMs = 1000;

/**
 * Runs a command as a child of this process. With a terminal that may be handed over, the child has this process's own; else
 * three pipes. What cannot be started ends with 127 (not found) or 126 (not executable) and a line on stderr, as in a shell.
 */
export function openSession(request: SessionRequest): ExecSession {
  const { command, cwd, env, terminal, groups, signal } = request;
  const [file, ...args] = command;
  if (file === undefined)
    throw new CtrlPlaneError("INVALID", "there is no command to run", { hint: "Name one, e.g. `sh`." });
  if (terminal !== undefined && !terminal.inherit) {
    throw new CtrlPlaneError("UNSUPPORTED", "`local` hands over the caller's own terminal and makes none", {
      hint: "Run it without a terminal.",
    });
  }
  const inherits = terminal !== undefined;
  // A group of its own, so that `kill` reaches what the command starts; on a terminal it must stay in the one in front.
  const start = (): ChildProcess =>
    spawn(file, args, { cwd, env, stdio: inherits ? "inherit" : "pipe", detached: !inherits });
  const child = groups === undefined ? start() : bornIn(groups, start);
  const kill = (name: string): void => endChild(child, name, !inherits);
  const stderr = child.stderr === null ? ended() : child.stderr.pipe(new PassThrough(), { end: false });
  const onAbort = (): void => kill("SIGTERM");
  signal.addEventListener("abort", onAbort, { once: true });
  const exit = exitOf(child, file, stderr).finally(() => signal.removeEventListener("abort", onAbort));
  // Whoever does not ask how it ended must not be ended by it.
  exit.catch(() => undefined);
  // A command that reads nothing closes its input before its caller does: its exit code tells enough.
  child.stdin?.on("error", () => undefined);
  if (signal.aborted) onAbort();
  return {
    stdin: child.stdin ?? new Writable({ write: (_chunk, _encoding, done) => done() }),
    stdout: child.stdout ?? ended(),
    stderr,
    handedOver: inherits,
    // The child sees the size of the terminal that it shares.
    resize: () => undefined,
    kill,
    exit,
  };
}

function exitOf(child: ChildProcess, file: string, stderr: PassThrough): Promise<number> {
  return new Promise((resolve, reject) => {
    const finish = (code: number): void => {
      if (!stderr.writableEnded) stderr.end();
      resolve(code);
    };
    child.once("error", (error) => {
      const code = startFailures[errnoOf(error) ?? ""];
      if (child.pid !== undefined || code === undefined) {
        reject(new CtrlPlaneError("INTERNAL", `${file}: ${error.message}`, { cause: error }));
        return;
      }
      stderr.write(`${file}: ${code === 127 ? "not found" : "not executable"}\n`);
      finish(code);
    });
    child.once("exit", (code, name) => {
      const status = code ?? 128 + (name === null ? 0 : constants.signals[name]);
      const late = setTimeout(() => finish(status), lastOutputMs);
      child.once("close", () => {
        clearTimeout(late);
        finish(status);
      });
    });
  });
}

const startFailures: Readonly<Record<string, number>> = {
  ENOENT: 127,
  EACCES: 126,
  ENOEXEC: 126,
  EISDIR: 126,
  ENOTDIR: 127,
};

function endChild(child: ChildProcess, name: string, hasGroup: boolean): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (!Object.hasOwn(constants.signals, name))
    throw new CtrlPlaneError("INVALID", `${name} is no signal of this system`);
  try {
    process.kill(hasGroup ? -child.pid : child.pid, name);
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}

function ended(): PassThrough {
  return new PassThrough().end();
}
