import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { CtrlPlaneErrorOptions, Verdict } from "@ctrlplane/core/provider";
import { isEngineError, mapEngineError, type EngineClient } from "@ctrlplane/images";
import { inspect, wasStopped } from "./containers.ts";
import type { ContainerDetails } from "./engine-types.ts";
import { lastExitCode } from "./last-end.ts";
import { logTail } from "./log-lines.ts";
import { userNameOf } from "./names.ts";
import { portInUse } from "./port-in-use.ts";

const tailLines = 20;

/** The failure of a replica, with what it printed last. */
export async function failed(
  engine: EngineClient,
  details: ContainerDetails,
  verdict: Verdict,
  what: string,
  options: CtrlPlaneErrorOptions = {},
): Promise<CtrlPlaneError> {
  const { Id: id, RestartCount } = details;
  const name = userNameOf(details.Name);
  const [tail, exitCode] = await Promise.all([logTail(engine, { id, name }, tailLines), lastExitCode(engine, details)]);
  return new CtrlPlaneError("FAILED", `${name} ${what}`, {
    target: name,
    ...options,
    failure: {
      verdict,
      replica: name,
      starts: RestartCount + 1,
      logTail: tail,
      ...(exitCode === undefined ? {} : { exitCode }),
    },
  });
}

/** What an ended replica ended of. */
export function endedBy(engine: EngineClient, details: ContainerDetails, isLoop: boolean): Promise<CtrlPlaneError> {
  const { State, HostConfig } = details;
  if (State.OOMKilled) {
    const limit = HostConfig.Memory === 0 ? "" : ` (limit ${HostConfig.Memory / 1024 / 1024} MiB)`;
    return failed(engine, details, "OOM", `ran out of memory${limit}`, { hint: "Raise scale.memory." });
  }
  if (!isLoop && wasStopped(details)) return Promise.resolve(fromOutside(details, "stopped"));
  return failed(engine, details, isLoop ? "CRASH_LOOP" : "EXITED", "ended before it was ready");
}

/** Not its program's doing: nobody can say anything of its release. */
export function fromOutside({ Name }: ContainerDetails, what: "stopped" | "started again"): CtrlPlaneError {
  const name = userNameOf(Name);
  const message = `${name} was ${what} from outside: the engine was started again, or somebody did it`;
  const hint = "Run the same command again: it goes on where this one stopped.";
  return new CtrlPlaneError("UNAVAILABLE", message, { target: name, retryable: true, hint });
}

/** What the engine said when it could not start a container. */
export async function startError(
  engine: EngineClient,
  error: unknown,
  replica: { readonly id: string; readonly name: string },
  signal: AbortSignal,
): Promise<CtrlPlaneError> {
  if (!isEngineError(error)) return mapEngineError(error, replica.name);
  const { message } = error;
  if (/executable file not found|no such file or directory|permission denied/i.test(message) && /exec/i.test(message)) {
    const program = /exec: \\?"([^"\\]+)/.exec(message)?.[1] ?? "the command";
    const reason = /permission denied/i.test(message) ? "may not be executed" : "was not found in the image";
    return new CtrlPlaneError("FAILED", `${program} ${reason}`, {
      target: replica.name,
      cause: error,
      failure: { verdict: "COMMAND_NOT_FOUND", replica: replica.name },
      hint: "Check `command` and `entrypoint` against what is in the image.",
    });
  }
  const bindings = (await inspect(engine, replica.id, signal))?.HostConfig.PortBindings ?? {};
  const hostPorts = Object.values(bindings).flatMap((each) => each.map(({ HostPort }) => Number(HostPort)));
  return (await portInUse(engine, error, replica.name, hostPorts, signal)) ?? mapEngineError(error, replica.name);
}
