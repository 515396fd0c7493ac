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
  return new CtrlPlaneError("FAILED", `port ${port} is in use by ${await holderOf(engine, port, signal)}`, {
    target: name,
    cause: error,
    failure: { verdict: "PORT_IN_USE", replica: name },
    hint: "End what holds it, or choose another host port.",
  });
}

/** The container that publishes a port; what else the host runs cannot be seen from here. */
async function holderOf(engine: EngineClient, port: number, signal: AbortSignal): Promise<string> {
  const all = await engine.json<readonly ContainerSummary[]>({ method: "GET", path: "/containers/json", signal });
  const holder = all.find((each) => each.Ports.some(({ PublicPort }) => PublicPort === port));
  return holder === undefined ? "another program of the host" : `the container ${nameOf(holder)}`;
}
