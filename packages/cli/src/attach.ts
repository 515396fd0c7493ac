import { pipeline } from "node:stream/promises";
import type { CommandOptions, ExecSession } from "@ctrlplane/core";
import type { Invocation } from "./arguments/invocation.ts";

type WantedTerminal = NonNullable<CommandOptions["terminal"]>;

/** A terminal for the command where this is one, unless `-T`; one that was asked for with `-t` where there is none is left out, as for a pipe. */
export function terminalFor(invocation: Invocation): WantedTerminal | undefined {
  const { stdin, stdout } = process;
  if (invocation.flag("no-tty") || !stdin.isTTY || !stdout.isTTY) return undefined;
  return { columns: stdout.columns, rows: stdout.rows, inherit: true };
}

/** Joins this process's input and output to a command's; resolves with the command's exit code once all it printed is out. */
export function attach(session: ExecSession, terminal: WantedTerminal | undefined): Promise<number> {
  return session.handedOver === true ? waitFor(session) : join(session, terminal);
}

/** The command has the terminal: Ctrl-C reaches it from there, and must not end this process before it. */
async function waitFor(session: ExecSession): Promise<number> {
  const leaveIt = (): void => undefined;
  const end = (signal: NodeJS.Signals): void => session.kill(signal);
  process.on("SIGINT", leaveIt).on("SIGTERM", end).on("SIGHUP", end);
  try {
    return await session.exit;
  } finally {
    process.off("SIGINT", leaveIt).off("SIGTERM", end).off("SIGHUP", end);
  }
}

async function join(session: ExecSession, terminal: WantedTerminal | undefined): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const passOn = (signal: NodeJS.Signals): void => session.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, passOn);
  const resize = (): void => session.resize({ columns: stdout.columns, rows: stdout.rows });
  stdout.on("resize", resize);
  // A terminal elsewhere echoes and edits by itself; Ctrl-C is a byte for it.
  if (terminal !== undefined) stdin.setRawMode(true);
  const input = passInput(session);
  try {
    const output = Promise.all([copy(session.stdout, stdout), copy(session.stderr, stderr)]);
    const code = await session.exit;
    await output;
    return code;
  } finally {
    input.stop();
    if (terminal !== undefined) stdin.setRawMode(false);
    stdout.off("resize", resize);
    for (const name of signals) process.off(name, passOn);
  }
}

/** Until it ends, or the command closes its side: a command that does not read must not fail for it. */
function passInput(session: ExecSession): { stop(): void } {
  const { stdin } = process;
  const controller = new AbortController();
  const done = pipeline(stdin, session.stdin, { signal: controller.signal }).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const isOver = controller.signal.aborted || ["EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET"].includes(code);
    if (!isOver) throw error;
  });
  void done;
  return { stop: () => controller.abort() };
}

async function copy(from: NodeJS.ReadableStream, to: NodeJS.WritableStream): Promise<void> {
  for await (const chunk of from) {
    if (!to.write(chunk)) await new Promise((resolve) => to.once("drain", resolve));
  }
}
