import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ExecRequest, ExecSession, ProviderContext, Terminal } from "@ctrlplane/core/provider";
import { isEngineError, mapEngineError, segment, type EngineClient } from "@ctrlplane/images";
import { openSession } from "./session.ts";

interface ExecDetails {
  readonly ExitCode: number | null;
  readonly Running: boolean;
}

/** A command inside of a container that runs. */
export async function execIn(
  engine: EngineClient,
  replica: { readonly id: string; readonly name: string },
  { command, terminal }: Pick<ExecRequest, "command" | "terminal">,
  context: ProviderContext,
): Promise<ExecSession> {
  const { signal } = context;
  const isTerminal = terminal !== undefined;
  try {
    const { Id } = await engine.json<{ readonly Id: string }>({
      method: "POST",
      path: `/containers/${segment(replica.id)}/exec`,
      body: { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: isTerminal, Cmd: command },
      signal,
    });
    const connection = await engine.upgrade({
      method: "POST",
      path: `/exec/${Id}/start`,
      body: { Detach: false, Tty: isTerminal },
      signal,
    });
    const resize = ({ columns, rows }: Terminal): void => {
      const query = { h: rows, w: columns };
      // Too late for a command that has just ended.
      engine.json({ method: "POST", path: `/exec/${Id}/resize`, query }).catch(() => undefined);
    };
    if (terminal !== undefined) resize(terminal);
    return openSession({
      connection,
      isTerminal,
      resize,
      // The API has no signal for it: who is cut off from its terminal or its output ends.
      kill: () => void connection.destroy(),
      exitCode: () => exitCode(engine, Id, replica.name),
    });
  } catch (error) {
    if (isEngineError(error, 409))
      throw new CtrlPlaneError("CONFLICT", `${replica.name} does not run`, { target: replica.name, cause: error });
    throw mapEngineError(error, replica.name);
  }
}

async function exitCode(engine: EngineClient, id: string, name: string): Promise<number> {
  const { ExitCode, Running } = await engine.json<ExecDetails>({ method: "GET", path: `/exec/${id}/json` });
  if (ExitCode !== null && !Running) return ExitCode;
  throw new CtrlPlaneError("UNAVAILABLE", `the connection to the command in ${name} broke`, { target: name });
}
