import { segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import type { ContainerDetails } from "./engine-types.ts";
import { hasNetwork } from "./has-network.ts";
import { differences, madeOf, type Difference } from "./made.ts";

/** What images set in the environment themselves; an image never changes. */
const imageEnvs = new WeakMap<EngineClient, Map<string, Promise<ReadonlySet<string> | undefined>>>();

/** What of a container is another than it was made; asks for its image, once. */
export async function differencesOf(
  engine: EngineClient,
  details: ContainerDetails,
  signal: AbortSignal,
): Promise<readonly Difference[]> {
  const made = madeOf(details.Config.Labels);
  return made === undefined ? [] : differences(made, details, await imageEnv(engine, details.Image, signal));
}

/** Ids of those that have to be replaced to be what they were made; what is small a running one takes back (`changedLimits`). */
export async function alteredAmong(
  engine: EngineClient,
  containers: readonly ContainerDetails[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const judged = await Promise.all(
    containers.map(async (each) => {
      const found = await differencesOf(engine, each, signal);
      return found.some((difference) => difference.isSmall !== true) || (await hasLostNetwork(engine, each, signal))
        ? [each.Id]
        : [];
    }),
  );
  return new Set(judged.flat());
}

/** Limits that somebody set otherwise, as the engine's `update` takes them. */
export function changedLimits({ HostConfig, Config }: ContainerDetails): Readonly<Record<string, number>> {
  const { memory, nanoCpus } = madeOf(Config.Labels) ?? {};
  return {
    ...(memory === undefined || HostConfig.Memory === memory ? {} : { Memory: memory, MemorySwap: memory }),
    ...(nanoCpus === undefined || HostConfig.NanoCpus === nanoCpus ? {} : { NanoCpus: nanoCpus }),
  };
}

/** One that does not run keeps the id of a network that may be gone, and cannot start then. */
async function hasLostNetwork(
  engine: EngineClient,
  { State, Config, NetworkSettings }: ContainerDetails,
  signal: AbortSignal,
): Promise<boolean> {
  const made = madeOf(Config.Labels);
  if (made === undefined || State.Running || State.Status === "created") return false;
  const id = NetworkSettings.Networks?.[made.network]?.NetworkID ?? "";
  return id !== "" && !(await hasNetwork(engine, id, signal));
}

async function imageEnv(
  engine: EngineClient,
  id: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const known = imageEnvs.get(engine) ?? new Map<string, Promise<ReadonlySet<string> | undefined>>();
  imageEnvs.set(engine, known);
  const asked = known.get(id) ?? ask(engine, id, signal);
  known.set(id, asked);
  try {
    return await asked;
  } catch (error) {
    known.delete(id);
    throw error;
  }
}

async function ask(engine: EngineClient, id: string, signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  const path = `/images/${segment(id)}/json`;
  const found = await unlessMissing(
    engine.json<{ readonly Config: { readonly Env: readonly string[] | null } | null }>({
      method: "GET",
      path,
      signal,
    }),
  );
  return found === undefined ? undefined : new Set(found.Config?.Env ?? []);
}
