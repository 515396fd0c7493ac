import { connectEngine, unlessMissing, type Endpoint, type EngineClient } from "@ctrlplane/images";

/** All that bears a stack's label on an engine. */
export interface Remains {
  /** Every container, also those kept for their logs. */
  readonly containers: readonly LabelledContainer[];
  readonly networks: readonly string[];
  readonly volumes: readonly LabelledVolume[];
}

export interface LabelledContainer {
  readonly id: string;
  readonly name: string;
  readonly isRunning: boolean;
  /** Entrypoint and arguments, in one line. */
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LabelledVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is there of a stack, sorted by name; found by its label, and not by what the provider says. */
export async function remainsOf(engine: EngineClient, stack: string): Promise<Remains> {
  const filters = { label: [`pctl-stack=${stack}`] };
  const [containers, networks, volumes] = await Promise.all([
    engine.json<readonly ContainerAnswer[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters },
    }),
    engine.json<readonly { readonly Name: string }[]>({ method: "GET", path: "/networks", query: { filters } }),
    engine.json<{ readonly Volumes: readonly VolumeAnswer[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters },
    }),
  ]);
  return {
    containers: containers.map(seen).sort(byName),
    networks: networks.map(({ Name }) => Name).sort(),
    volumes: (volumes.Volumes ?? []).map(({ Name: name, Labels }) => ({ name, labels: Labels ?? {} })).sort(byName),
  };
}

/** Nothing of the stack is left on the engine. */
export async function removeStack(endpoint: Endpoint, stack: string): Promise<void> {
  const engine = connectEngine(endpoint);
  const remove = (path: string): Promise<unknown> =>
    unlessMissing(engine.json({ method: "DELETE", path, query: { force: true } }));
  try {
    const { containers, networks, volumes } = await remainsOf(engine, stack);
    await Promise.all(containers.map(({ id }) => remove(`/containers/${id}`)));
    for (const name of networks) await remove(`/networks/${name}`);
    await Promise.all(volumes.map(({ name }) => remove(`/volumes/${name}`)));
  } finally {
    await engine.close();
  }
}

interface ContainerAnswer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Command: string;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

interface VolumeAnswer {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

function seen({ Id, Names, Command: command, State, Labels }: ContainerAnswer): LabelledContainer {
  const [name = Id] = Names;
  return { id: Id, name: name.replace(/^\//, ""), command, isRunning: State === "running", labels: Labels ?? {} };
}

function byName(one: { readonly name: string }, two: { readonly name: string }): number {
  return one.name < two.name ? -1 : 1;
}
