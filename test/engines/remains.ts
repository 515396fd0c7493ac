import { connectEngine, isEngineError, unlessMissing, type Endpoint, type EngineClient } from "@ctrlplane/images";

/** All that bears a stack's label on an engine. */
export interface Remains {
  /** Every container, also those kept for their logs. */
  readonly containers: readonly LabelledContainer[];
  readonly networks: readonly LabelledNetwork[];
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

export interface LabelledNetwork {
  readonly id: string;
  readonly name: string;
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
    engine.json<readonly { readonly Id: string; readonly Name: string }[]>({
      method: "GET",
      path: "/networks",
      query: { filters },
    }),
    engine.json<{ readonly Volumes: readonly VolumeAnswer[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters },
    }),
  ]);
  return {
    containers: containers.map(seen).sort(byName),
    networks: networks.map(({ Id: id, Name: name }) => ({ id, name })).sort(byName),
    volumes: (volumes.Volumes ?? []).map(({ Name: name, Labels }) => ({ name, labels: Labels ?? {} })).sort(byName),
  };
}

export interface Wanted {
  /** Names of those that run: replicas and gateways. */
  readonly containers: readonly string[];
  /** Names of instances that are declared: they have a record. */
  readonly services: readonly string[];
}

/** What is there and is needed by nothing that is wanted, and what is wanted and does not run, in words. What ended stays for its log while its service is declared. */
export function orphansIn({ containers, networks, volumes }: Remains, wanted: Wanted): string[] {
  const isDeclared = wanted.services.length > 0;
  const isKept = ({ name, isRunning }: LabelledContainer): boolean =>
    isDeclared && !isRunning && /\.old-[0-9a-f]{8}$/.test(name);
  const running = new Set(containers.filter((each) => each.isRunning).map(({ name }) => name));
  const records = volumes.map(({ labels }) => `${labels["pctl-role"]} ${labels["pctl-record"]}`);
  return [
    ...containers
      .filter((each) => !wanted.containers.includes(each.name) && !isKept(each))
      .map(({ name }) => `container ${name}`),
    ...wanted.containers.filter((name) => !running.has(name)).map((name) => `${name} does not run`),
    ...networks.slice(isDeclared ? 1 : 0).map(({ name }) => `network ${name}`),
    ...volumes.filter(({ labels }) => labels["pctl-record"] === undefined).map(({ name }) => `volume ${name}`),
    ...volumes
      .filter(({ labels }) => labels["pctl-role"] === "instance")
      .filter(({ labels }) => !wanted.services.includes(labels["pctl-service"] ?? ""))
      .map(({ labels }) => `record of ${labels["pctl-service"]}`),
    ...records.filter((each, index) => records.indexOf(each) !== index).map((each) => `twice: ${each}`),
  ];
}

/** Nothing of the stack is left on the engine, also not of what was just being made when somebody was killed. Rejects where something does not go. */
export async function removeStack(endpoint: Endpoint, stack: string): Promise<void> {
  const engine = connectEngine(endpoint);
  try {
    for (let round = 1; ; round += 1) {
      const refused = await removeAll(engine, await remainsOf(engine, stack));
      const { containers, networks, volumes } = await remainsOf(engine, stack);
      if (containers.length + networks.length + volumes.length === 0) return;
      if (round < rounds) continue;
      const isRest = containers.length === 0 && volumes.length === 0;
      if (!isRest || !(await areEmpty(engine, networks)))
        throw new Error(`something of ${stack} does not go: ${refused.join("; ")}`);
      // It counts anew when it is started again (moby/moby#42119).
      process.stdout.write(`the engine counts a container in the network of ${stack}, and there is none: it stays\n`);
      return;
    }
  } finally {
    await engine.close();
  }
}

const rounds = 10;

/** Whether no container is in any of them. */
async function areEmpty(engine: EngineClient, networks: readonly LabelledNetwork[]): Promise<boolean> {
  const inside = await Promise.all(
    networks.map(async ({ id }) => {
      const { Containers } = await engine.json<{ readonly Containers: object }>({
        method: "GET",
        path: `/networks/${id}`,
      });
      return Object.keys(Containers).length;
    }),
  );
  return inside.every((count) => count === 0);
}

/** Why something did not go, where others were just at it. */
async function removeAll(engine: EngineClient, { containers, networks, volumes }: Remains): Promise<readonly string[]> {
  const refused: string[] = [];
  const remove = async (path: string): Promise<void> => {
    try {
      await unlessMissing(engine.json({ method: "DELETE", path, query: { force: true } }));
    } catch (error) {
      if (!isEngineError(error, 403, 409)) throw error;
      refused.push(error.message);
    }
  };
  await Promise.all(containers.map(({ id }) => remove(`/containers/${id}`)));
  await Promise.all(networks.map(({ id }) => remove(`/networks/${id}`)));
  await Promise.all(volumes.map(({ name }) => remove(`/volumes/${name}`)));
  return refused;
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
