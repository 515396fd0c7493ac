import { dirname } from "node:path/posix";
import type { ProviderContext } from "@ctrlplane/core/provider";
import { segment, type EngineClient } from "@ctrlplane/images";
import type { CreatedContainer } from "./create-replica.ts";
import type { ContainerDetails } from "./engine-types.ts";
import { dockerLabel } from "./labels.ts";
import { madeOf } from "./made.ts";

/** A container that was made as another one was, with its files, but publishes nothing and has no name but its own; not started yet. */
export async function copyWithoutPorts(
  engine: EngineClient,
  old: ContainerDetails,
  name: string,
  context: ProviderContext,
): Promise<CreatedContainer> {
  const { Config, HostConfig, NetworkSettings } = old;
  const made = madeOf(Config.Labels);
  const label =
    made === undefined ? {} : { [dockerLabel.made]: JSON.stringify({ ...made, ports: [], isDirect: false }) };
  const networks = Object.keys(NetworkSettings.Networks ?? {}).map((each): [string, object] => [each, {}]);
  await context.fence.check();
  const { Id } = await engine.json<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    query: { name },
    body: {
      ...Config,
      // The engine's own choice, after the container's id.
      Hostname: "",
      Labels: { ...Config.Labels, ...label },
      HostConfig: { ...HostConfig, PortBindings: {} },
      NetworkingConfig: { EndpointsConfig: Object.fromEntries(networks) },
    },
    signal: context.signal,
  });
  for (const path of made?.files ?? []) await copyFile(engine, old.Id, Id, path, context);
  return { id: Id, name };
}

async function copyFile(
  engine: EngineClient,
  from: string,
  to: string,
  path: string,
  { fence, signal }: ProviderContext,
): Promise<void> {
  const at = (id: string): string => `/containers/${segment(id)}/archive`;
  const body = await engine.stream({ method: "GET", path: at(from), query: { path }, signal });
  await fence.check();
  await engine.json({
    method: "PUT",
    path: at(to),
    query: { path: dirname(path) },
    headers: { "Content-Type": "application/x-tar" },
    body,
    signal,
  });
}
