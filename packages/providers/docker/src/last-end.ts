import { segment, type EngineClient } from "@ctrlplane/images";
import { text } from "node:stream/consumers";
import { wasStarted } from "./containers.ts";
import type { ContainerDetails } from "./engine-types.ts";

/** Exit code of the last run that ended: the engine forgets it once it has started the container again, and remembers the event. */
export async function lastExitCode(engine: EngineClient, details: ContainerDetails): Promise<number | undefined> {
  const { Id, State, Created } = details;
  if (State.Status !== "running") return State.ExitCode;
  if (!wasStarted(State)) return undefined;
  const query = {
    since: Math.floor(Date.parse(Created) / 1000),
    until: Math.floor(Date.parse(State.StartedAt) / 1000) + 1,
    filters: { container: [segment(Id)], event: ["die"] },
  };
  const lines = (await text(await engine.stream({ method: "GET", path: "/events", query }))).trim().split("\n");
  const last = lines.at(-1) ?? "";
  if (last === "") return undefined;
  // As the API describes an event.
  const { Actor } = JSON.parse(last) as { readonly Actor: { readonly Attributes: Readonly<Record<string, string>> } };
  const code = Actor.Attributes["exitCode"];
  return code === undefined ? undefined : Number(code);
}
