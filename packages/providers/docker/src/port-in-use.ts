import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { isEngineError, type EngineClient } from "@ctrlplane/images";
import { nameOf } from "./containers.ts";
import type { ContainerSummary } from "./engine-types.ts";

/**
 * The engine refused to start a container because one of its host ports is taken: the error that says by whom. Undefined for every other
 * refusal.
 */
export async function portInUse(
  engine: EngineClient,
  error: unknown,
  name: string,
  hostPorts: readonly number[],
  signal: AbortSignal,
): Promise<CtrlPlaneError | undefined> {
  if (!isEngineError(error) || !/port is already allocated|address already in use/i.test(error.message))
    return undefined;
  const port = hostPorts.find((each) => new RegExp(`:${each}\\b`).test(error.message)) ?? hostPorts[0];
  if (port === undefined) return undefined;
  const { who, hint } = await holderOf(engine, port, error.message, signal);
  return new CtrlPlaneError("FAILED", `port ${port} is in use by ${who}`, {
    target: name,
    cause: error,
    failure: { verdict: "PORT_IN_USE", replica: name },
    hint,
  });
}

/**
 * The container that publishes a port; what else the host runs cannot be seen from here. An engine that was killed while it started a container keeps
 * the ports of that one allocated, also where it is removed, until the engine is started the next time: nothing that its API offers frees them.
 */
async function holderOf(
  engine: EngineClient,
  port: number,
  refusal: string,
  signal: AbortSignal,
): Promise<{ readonly who: string; readonly hint: string }> {
  const all = await engine.json<readonly ContainerSummary[]>({ method: "GET", path: "/containers/json", signal });
  const holder = all.find((each) => each.Ports.some(({ PublicPort }) => PublicPort === port));
  const hint = "End what holds it, or choose another host port.";
  if (holder !== undefined) return { who: `the container ${nameOf(holder)}`, hint };
  if (!/port is already allocated/i.test(refusal)) return { who: "another program of the host", hint };
  const restart =
    "If the engine crashed while it started a container: restart it (`systemctl restart docker` on the host), which frees the port.";
  return { who: "no container that runs, and the engine keeps it", hint: `${restart} Or choose another host port.` };
}
