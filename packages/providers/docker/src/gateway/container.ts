import { buffer } from "node:stream/consumers";
import { CtrlPlaneError, instanceLabels, label, type ProviderContext } from "@ctrlplane/core/provider";
import { isEngineError, mapEngineError, segment, unlessMissing } from "@ctrlplane/images";
import { inspect } from "../containers.ts";
import { portInUse } from "../port-in-use.ts";
import { putArchive } from "../put-archive.ts";
import { hasNetwork } from "../has-network.ts";
import { removeContainer } from "../remove-container.ts";
import { firstFileOf } from "./first-file.ts";
import { configurationOf, masterPort, nobody } from "./configuration.ts";
import type { GatewayPlace, StoredTable } from "./gateway-table.ts";
import { pullGatewayImage } from "./image.ts";
import type { Publication } from "./ports.ts";

/** A container that is one of a service's gateways. */
export interface GatewayContainer {
  readonly id: string;
  readonly name: string;
  readonly isRunning: boolean;
  /** It was made, and the engine knows no start of it. */
  readonly isUnstarted: boolean;
  readonly publishes: readonly Publication[];
  /** False where others took it out of the stack's network, or made it anew without its ports: nobody comes through it, and nothing but a new one helps. */
  readonly isIntact: boolean;
  /** Of the network that it was in last. */
  readonly networkId?: string;
}

const role = "gateway";
const publishesLabel = "pctl-gateway-publishes";
const folder = "etc/pctl-gateway";
const configurationFile = "haproxy.cfg";
const tableFile = "table.json";
/** Enough for two generations of HAProxy with all their connections. */
const memoryBytes = 512 * 1024 * 1024;
const logging = { Type: "json-file", Config: { "max-size": "5m", "max-file": "2" } };

interface Summary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  /** For people: `Up 5 minutes`. */
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Ports: readonly { readonly PublicPort?: number }[];
  readonly NetworkSettings?: { readonly Networks: Readonly<Record<string, { readonly NetworkID?: string }>> | null };
}

/** All of them, the first one first. */
export async function findGateways(
  place: GatewayPlace,
  { signal }: ProviderContext,
): Promise<readonly GatewayContainer[]> {
  const wanted = Object.entries({ ...instanceLabels(place.instance), [label.role]: role });
  const filters = { label: wanted.map(([key, value]) => `${key}=${value}`) };
  const found = await place.engine.json<readonly Summary[]>({
    method: "GET",
    path: "/containers/json",
    query: { all: true, filters },
    signal,
  });
  return found
    .filter(({ State }) => State !== "removing")
    .map((each) => {
      const publishes = parsePublications(each.Labels?.[publishesLabel]);
      return {
        id: each.Id,
        name: (each.Names[0] ?? each.Id).replace(/^\//, ""),
        isRunning: each.State === "running",
        isUnstarted: isUnstarted(each),
        publishes,
        isIntact: isIntact(each, publishes, place),
        ...networkOf(each, place),
      };
    })
    .toSorted((a, b) => numberOf(a.name) - numberOf(b.name));
}

/** One that runs without a start has run since the year 1, or as long as the engine's clock can tell. */
export function isUnstarted({ State, Status }: Pick<Summary, "State" | "Status">): boolean {
  return State === "created" || /^Up \d{3,} years/.test(Status);
}

function networkOf({ NetworkSettings }: Summary, { network }: GatewayPlace): Pick<GatewayContainer, "networkId"> {
  const networkId = NetworkSettings?.Networks?.[network]?.NetworkID ?? "";
  return networkId === "" ? {} : { networkId };
}

/** One that does not run cannot start again in a network that is gone. */
export async function canStart(
  { engine }: GatewayPlace,
  { isRunning, networkId }: GatewayContainer,
  { signal }: ProviderContext,
): Promise<boolean> {
  return isRunning || networkId === undefined || hasNetwork(engine, networkId, signal);
}

function isIntact(
  { State, Ports, NetworkSettings }: Summary,
  publishes: readonly Publication[],
  { network }: GatewayPlace,
): boolean {
  if (State !== "running") return true;
  const published = new Set(Ports.map(({ PublicPort }) => PublicPort));
  const isInNetwork = NetworkSettings === undefined || NetworkSettings.Networks?.[network] !== undefined;
  return isInNetwork && publishes.every(({ hostPort }) => published.has(hostPort));
}

function numberOf(name: string): number {
  return Number(/-gateway-(\d+)$/.exec(name)?.[1] ?? "1");
}

function parsePublications(text: string | undefined): readonly Publication[] {
  // It is ours: `findGateways` asked for our labels alone.
  return text === undefined ? [] : (JSON.parse(text) as readonly Publication[]);
}

/** Made and not started. Throws `CONFLICT` where something of others has its name. */
export async function createGateway(
  place: GatewayPlace,
  publishes: readonly Publication[],
  existing: readonly GatewayContainer[],
  context: ProviderContext,
): Promise<GatewayContainer> {
  const { engine, instance } = place;
  const taken = new Set(existing.map((each) => numberOf(each.name)));
  let number = 1;
  while (taken.has(number)) number += 1;
  const name = number === 1 ? `${instance.name}-gateway` : `${instance.name}-gateway-${number}`;
  const create = async (): Promise<GatewayContainer> => {
    await context.fence.check();
    const { signal } = context;
    const body = containerBody(place, publishes);
    const { Id: id } = await engine.json<{ readonly Id: string }>({
      method: "POST",
      path: "/containers/create",
      query: { name },
      body,
      signal,
    });
    return { id, name, isRunning: false, isUnstarted: false, publishes, isIntact: true };
  };
  try {
    return await create();
  } catch (error) {
    if (isEngineError(error, 409)) throw await takenName(place, name, error, context);
    if (!isEngineError(error, 404) || !/no such image/i.test(error.message)) throw mapEngineError(error, name);
  }
  await pullGatewayImage(place, context);
  return create();
}

/** Who has the name: a container of others, or one of ours that is just coming or going, which is to be looked at again. */
async function takenName(
  place: GatewayPlace,
  name: string,
  cause: unknown,
  { signal }: ProviderContext,
): Promise<CtrlPlaneError> {
  const found = await inspect(place.engine, name, signal);
  if (found !== undefined && found.Config.Labels?.[label.lineage] !== place.instance.lineage)
    return foreign(name, cause);
  return changedByOthers(name, cause);
}

/** What was seen of it is out of date: `lookingAgain` looks anew. */
export function changedByOthers(name: string, cause?: unknown): CtrlPlaneError {
  const message = `the gateway ${name} is being changed by others`;
  return new CtrlPlaneError("CONFLICT", message, { target: name, retryable: true, cause });
}

function foreign(name: string, cause: unknown): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `the name ${name} is taken by a container that is not ours`, {
    target: name,
    cause,
    hint: `Look at it with \`docker inspect ${name}\`, and rename or remove it.`,
  });
}

function containerBody(place: GatewayPlace, publishes: readonly Publication[]): object {
  const { instance, network, aliases, image } = place;
  const bindings = Map.groupBy(publishes, ({ containerPort }) => `${containerPort}/tcp`);
  return {
    Image: image,
    Entrypoint: ["haproxy"],
    Cmd: ["-W", "-db", "-S", `127.0.0.1:${masterPort}`, "-f", `/${folder}/${configurationFile}`],
    // It may bind low ports and nothing else, whatever user the image names.
    User: "0:0",
    Labels: {
      ...instanceLabels(instance),
      [label.role]: role,
      [publishesLabel]: JSON.stringify(publishes),
    },
    ExposedPorts: Object.fromEntries([...bindings.keys()].map((port) => [port, {}])),
    // Open requests are answered before it ends.
    StopSignal: "SIGUSR1",
    HostConfig: {
      NetworkMode: network,
      PortBindings: Object.fromEntries(
        [...bindings].map(([port, all]) => [
          port,
          all.map(({ address, hostPort }) => ({ HostIp: address, HostPort: String(hostPort) })),
        ]),
      ),
      // With `unless-stopped` an engine takes any signal sent through it, that of a reload too, for a wish that it stays down after a boot.
      RestartPolicy: { Name: "always" },
      Memory: memoryBytes,
      LogConfig: logging,
      CapDrop: ["ALL"],
      CapAdd: ["NET_BIND_SERVICE"],
      SecurityOpt: ["no-new-privileges"],
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [...aliases, nobody] } } },
  };
}

/** The container has this configuration. A HAProxy that runs does not read it yet. */
export async function writeTable(
  { engine }: GatewayPlace,
  container: GatewayContainer,
  stored: StoredTable,
  context: ProviderContext,
): Promise<void> {
  const texts = { [configurationFile]: configurationOf(stored).text, [tableFile]: JSON.stringify(stored) };
  const files = Object.entries(texts).map(([file, text]) => ({
    path: `${folder}/${file}`,
    content: Buffer.from(text),
  }));
  await putArchive(engine, container, files, context);
}

/** What `writeTable` wrote last; undefined where it never did. */
export async function readTable(
  { engine }: GatewayPlace,
  { id, name }: GatewayContainer,
  { signal }: ProviderContext,
): Promise<StoredTable | undefined> {
  try {
    const path = `/containers/${segment(id)}/archive`;
    const answer = await unlessMissing(
      engine.stream({ method: "GET", path, query: { path: `/${folder}/${tableFile}` }, signal }),
    );
    const text = answer === undefined ? undefined : firstFileOf(await buffer(answer));
    // We wrote it; where a crash left half of it, there is none.
    return text === undefined || !text.endsWith("}") ? undefined : (JSON.parse(text) as StoredTable);
  } catch (error) {
    throw mapEngineError(error, name);
  }
}

/** It runs, or `FAILED` `PORT_IN_USE`; or another process, which found it not started yet, is just removing it. */
export async function startGateway(
  { engine }: GatewayPlace,
  { id, name, publishes }: GatewayContainer,
  context: ProviderContext,
): Promise<void> {
  await context.fence.check();
  const ports = publishes.map(({ hostPort }) => hostPort);
  try {
    await engine.json({ method: "POST", path: `/containers/${segment(id)}/start`, signal: context.signal });
  } catch (error) {
    if (isEngineError(error, 409) && /marked for removal/.test(error.message)) throw changedByOthers(name, error);
    throw (await portInUse(engine, error, name, ports, context.signal)) ?? mapEngineError(error, name);
  }
}

/** Gone. With `drainMs` what is open on it may end first. */
export async function retireGateway(
  { engine }: GatewayPlace,
  { id, name, isRunning }: GatewayContainer,
  drainMs: number,
  context: ProviderContext,
): Promise<void> {
  const { signal } = context;
  try {
    if (isRunning && drainMs > 0) {
      await context.fence.check();
      const path = `/containers/${segment(id)}/stop`;
      await unlessMissing(engine.json({ method: "POST", path, query: { t: Math.ceil(drainMs / 1000) }, signal }));
    }
    await removeContainer(engine, id, context);
  } catch (error) {
    throw mapEngineError(error, name);
  }
}
