import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { CtrlPlaneErrorOptions, Verdict } from "@ctrlplane/core/provider";
import { isEngineError, mapEngineError, type EngineClient } from "@ctrlplane/images";
import { nameOf } from "./containers.ts";
import type { ContainerDetails, ContainerSummary } from "./engine-types.ts";
import { lastExitCode } from "./last-end.ts";
import { logTail } from "./logs.ts";

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
  const name = details.Name.slice(1).replace(/\.new-[0-9a-f]{8}$/, "");
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
  return failed(engine, details, isLoop ? "CRASH_LOOP" : "EXITED", "ended before it was ready");
}

/** What the engine said when it could not start a container. */
export async function startError(
  engine: EngineClient,
  error: unknown,
  replica: { readonly name: string },
): Promise<CtrlPlaneError> {
  if (!isEngineError(error)) return mapEngineError(error, replica.name);
  const { message } = error;
  const at = { target: replica.name, cause: error };
  const failure = (verdict: Verdict) => ({ verdict, replica: replica.name });
  const port = /:(\d+)(?:\/\w+)? failed|0\.0\.0\.0:(\d+)|:(\d+): bind/.exec(message);
  if (/port is already allocated|address already in use/i.test(message)) {
    const number = port?.[1] ?? port?.[2] ?? port?.[3] ?? "";
    const by = await holderOf(engine, Number(number));
    return new CtrlPlaneError("FAILED", `port ${number} is in use by ${by}`, {
      ...at,
      failure: failure("PORT_IN_USE"),
      hint: "End what holds it, or choose another host port.",
    });
  }
  if (/executable file not found|no such file or directory|permission denied/i.test(message) && /exec/i.test(message)) {
    const program = /exec: \\?"([^"\\]+)/.exec(message)?.[1] ?? "the command";
    const reason = /permission denied/i.test(message) ? "may not be executed" : "was not found in the image";
    return new CtrlPlaneError("FAILED", `${program} ${reason}`, {
      ...at,
      failure: failure("COMMAND_NOT_FOUND"),
      hint: "Check `command` and `entrypoint` against what is in the image.",
    });
  }
  return mapEngineError(error, replica.name);
}

/** The container that publishes a port; anything else of the host cannot be seen from here. */
async function holderOf(engine: EngineClient, port: number): Promise<string> {
  const all = await engine.json<readonly ContainerSummary[]>({ method: "GET", path: "/containers/json" });
  const holder = all.find((each) => each.Ports.some(({ PublicPort }) => PublicPort === port));
  return holder === undefined ? "another program of the host" : `the container ${nameOf(holder)}`;
}
