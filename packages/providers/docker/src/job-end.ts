import type { ProviderContext, Replica, ReplicaEnd } from "@ctrlplane/core/provider";
import { segment, type EngineClient } from "@ctrlplane/images";
import { inspect, wasStarted } from "./containers.ts";
import type { ContainerDetails } from "./engine-types.ts";
import { endedBy } from "./verdicts.ts";

/** How a job ended; waits for one that runs. The engine remembers it, and never starts a job by itself. */
export async function waitJob(
  engine: EngineClient,
  { id }: Pick<Replica, "id">,
  context: ProviderContext,
): Promise<ReplicaEnd> {
  for (;;) {
    const details = await inspect(engine, id, context.signal);
    if (details === undefined) return { state: "unknown" };
    if (!details.State.Running) return endOf(engine, details);
    if (!wasStarted(details.State)) return { state: "unknown" };
    const path = `/containers/${segment(id)}/wait`;
    await engine.json({ method: "POST", path, query: { condition: "not-running" }, signal: context.signal });
  }
}

async function endOf(engine: EngineClient, details: ContainerDetails): Promise<ReplicaEnd> {
  const { State } = details;
  if (State.Status === "created") return { state: "unstarted" };
  // A power cut, or the engine's own death: nobody saw its end.
  if (State.Status === "dead" || State.FinishedAt.startsWith("0001")) return { state: "unknown" };
  if (State.ExitCode === 0 && State.Error === "") return { state: "completed", at: State.FinishedAt };
  const error = await endedBy(engine, details, false);
  return {
    state: "failed",
    message: `ended with ${State.ExitCode}`,
    failure: error.failure ?? { verdict: "EXITED" },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
