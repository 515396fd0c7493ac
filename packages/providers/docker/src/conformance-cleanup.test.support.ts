import { label, managedBy } from "@ctrlplane/core/provider";
import type { Labels } from "@ctrlplane/core/provider";
import { unlessMissing, type EngineClient } from "@ctrlplane/images";
import { setTimeout as sleep } from "node:timers/promises";
import { removeNetwork } from "./remove-network.ts";

/** Names of the suite's stacks. */
const ofSuite = /^c[0-9a-f]{8}$/;

/** Everything that the suite's stacks left since then (milliseconds since the epoch); what others have on the engine stays. */
export async function removeAll(engine: EngineClient, since: number): Promise<void> {
  const filters = { label: [`${label.managedBy}=${managedBy}`] };
  const isOurs = (labels: Labels | null): boolean => ofSuite.test(labels?.[label.stack] ?? "");
  const query = { all: true, filters };
  const containers = await engine.json<readonly { Id: string; Created: number; Labels: Labels | null }[]>({
    method: "GET",
    path: "/containers/json",
    query,
  });
  const remove = (path: string): Promise<unknown> =>
    unlessMissing(engine.json({ method: "DELETE", path, query: { force: true } }));
  for (const { Id, Created, Labels } of containers) {
    if (isOurs(Labels) && Created * 1000 >= since) await remove(`/containers/${Id}`);
  }
  const { Volumes } = await engine.json<{ Volumes: readonly { Name: string; Labels: Labels | null }[] | null }>({
    method: "GET",
    path: "/volumes",
    query: { filters },
  });
  for (const { Name, Labels } of Volumes ?? []) {
    if (!isOurs(Labels)) continue;
    // Made after the containers were listed, by a request that was given up.
    const users = await engine.json<readonly { Id: string }[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters: { volume: [Name] } },
    });
    for (const { Id } of users) await remove(`/containers/${Id}`);
    await remove(`/volumes/${Name}`);
  }
  const networks = await engine.json<readonly { Id: string; Name: string; Created: string; Labels: Labels | null }[]>({
    method: "GET",
    path: "/networks",
    query: { filters },
  });
  for (const { Id, Name, Created, Labels } of networks) {
    if (!isOurs(Labels) || Date.parse(Created) < since) continue;
    // Containers that were given the labels of others are in it still.
    const { Containers } = await engine.json<{ Containers: Readonly<Record<string, unknown>> | null }>({
      method: "GET",
      path: `/networks/${Id}`,
    });
    for (const id of Object.keys(Containers ?? {})) await remove(`/containers/${id}`);
    const context = { signal: AbortSignal.timeout(10_000), clock: { sleep: (ms: number) => sleep(ms) } };
    // It counts anew when it is started again.
    if ((await removeNetwork(engine, { Id, Name }, context)) === "miscounted")
      process.emitWarning(`this engine counts a container in ${Name}, and there is none: the network stays`);
  }
  const images = await engine.json<readonly { RepoTags: readonly string[] | null }[]>({
    method: "GET",
    path: "/images/json",
    query: { filters: { reference: ["ctrlplane-conformance/program"] } },
  });
  for (const name of images.flatMap((each) => each.RepoTags ?? [])) await remove(`/images/${encodeURIComponent(name)}`);
}
