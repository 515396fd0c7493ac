import { label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, PortSpec, ProviderContext, Release, RoutedSet } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { freePorts } from "./adopted-replicas.ts";
import { findContainers, inspect, isReplica } from "./containers.ts";
import type { ContainerDetails } from "./engine-types.ts";
import {
  applyGateway,
  ensureGatewayImage,
  removeGateway,
  type GatewayPlace,
  type GatewayTable,
} from "./gateway/index.ts";
import { gatewayPorts } from "./gateway-ports.ts";
import { madeOf } from "./made.ts";
import { networkName } from "./names.ts";
import { replaceDirect, type ReplaceParts } from "./replace-direct.ts";
import type { SeenContainers } from "./seen-containers.ts";

export interface RoutingParts extends ReplaceParts {
  /** Image of gateways. */
  readonly gatewayImage: string;
  readonly seen: Pick<SeenContainers, "isDirect">;
}

/** Where the gateway of an instance is, or would be. */
export function gatewayPlace(
  parts: Pick<RoutingParts, "engine" | "gatewayImage">,
  instance: InstanceIdentity,
): GatewayPlace {
  const { engine, gatewayImage } = parts;
  return {
    engine,
    instance,
    network: networkName(instance),
    aliases: [instance.service, instance.name],
    image: gatewayImage,
  };
}

/**
 * Exactly these replicas get what comes to the service: through its gateway, or by the ports that the one of them publishes itself.
 * Returns the shares by container, undefined where only what pctl 1.1 made serves, by ports of its own; one that published ports itself is
 * another container where a gateway takes them over.
 */
export async function routeTo(
  parts: RoutingParts,
  set: RoutedSet,
  context: ProviderContext,
): Promise<Readonly<Record<string, number>> | undefined> {
  const { release } = set;
  const { instance, spec } = release;
  const adopted = (await parts.adoptions.read(instance, context.signal))?.containers ?? [];
  const targets = Object.fromEntries(Object.entries(set.targets).filter(([id]) => !adopted.includes(id)));
  if (Object.keys(targets).length === 0 && adopted.length > 0) return undefined;
  if (gatewayPorts(spec).length === 0) return targets;
  const [sole = "", ...more] = Object.keys(targets);
  if (adopted.length === 0 && more.length === 0 && parts.seen.isDirect(sole)) return targets;
  const found = await Promise.all(Object.keys(targets).map((id) => inspect(parts.engine, id, context.signal)));
  const containers = found.filter((each) => each !== undefined);
  const [only] = containers;
  if (only !== undefined && containers.length === 1 && isDirect(only, instance)) return targets;
  const others = await otherDirect(parts.engine, instance, containers, context.signal);
  if (adopted.length + others.length > 0 || containers.some((each) => isDirect(each, instance)))
    await ensureGatewayImage(gatewayPlace(parts, instance), context);
  await freePorts(parts.engine, adopted, spec, context);
  // They have the ports that the gateway needs: each goes on without them, until the rollout has it go.
  for (const each of others) await replaceDirect(parts, each, release, context);
  const routed = new Map<string, { readonly details: ContainerDetails; readonly weight: number }>();
  for (const each of containers) {
    const details = isDirect(each, instance) ? await replaceDirect(parts, each, release, context) : each;
    routed.set(details.Id, { details, weight: targets[each.Id] ?? 0 });
  }
  const table = tableOf(release, [...routed.values()]);
  await applyGateway(gatewayPlace(parts, instance), table, context);
  return Object.fromEntries([...routed].map(([id, { weight }]) => [id, weight]));
}

/** Nothing new goes to replicas of the instance; what is open goes on. */
export async function routeToNone(
  parts: RoutingParts,
  instance: InstanceIdentity,
  ports: readonly PortSpec[],
  context: ProviderContext,
): Promise<void> {
  if (!(await hasGateway(parts.engine, instance, context.signal))) return;
  const table = { ports: gatewayPorts({ ports }), targets: [], drainMs: 0 };
  await applyGateway(gatewayPlace(parts, instance), table, context);
}

/** The host's ports are free again. */
export function unpublish(parts: RoutingParts, instance: InstanceIdentity, context: ProviderContext): Promise<void> {
  return removeGateway(gatewayPlace(parts, instance), context);
}

export async function hasGateway(
  engine: EngineClient,
  { name, lineage }: InstanceIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  const filters = { label: [`${label.service}=${name}`, `${label.lineage}=${lineage}`, `${label.role}=gateway`] };
  const query = { all: true, filters };
  const found = await engine.json<readonly unknown[]>({ method: "GET", path: "/containers/json", query, signal });
  return found.length > 0;
}

/** Replicas that are not among the routed ones, run, and have the ports or the name of the service: of the release before, which had no gateway. */
async function otherDirect(
  engine: EngineClient,
  { name, lineage }: InstanceIdentity,
  routed: readonly ContainerDetails[],
  signal: AbortSignal,
): Promise<readonly ContainerDetails[]> {
  const found = await findContainers(engine, name, signal);
  const others = found.filter(
    (each) =>
      isReplica(each) &&
      each.Labels?.[label.lineage] === lineage &&
      each.State === "running" &&
      (madeOf(each.Labels)?.isDirect ?? each.Ports.some(({ PublicPort }) => PublicPort !== undefined)) &&
      !routed.some(({ Id }) => Id === each.Id),
  );
  const details = await Promise.all(others.map((each) => inspect(engine, each.Id, signal)));
  return details.flatMap((each) => each ?? []);
}

/** It publishes ports itself, or, where none is published, has the service's name: no gateway stands before it. */
function isDirect({ HostConfig, NetworkSettings }: ContainerDetails, instance: InstanceIdentity): boolean {
  const aliases = NetworkSettings.Networks?.[networkName(instance)]?.Aliases ?? [];
  return Object.keys(HostConfig.PortBindings ?? {}).length > 0 || aliases.includes(instance.name);
}

function tableOf(
  { instance, spec }: Release,
  routed: readonly { readonly details: ContainerDetails; readonly weight: number }[],
): GatewayTable {
  const { health } = spec;
  return {
    ports: gatewayPorts(spec),
    targets: routed.flatMap(({ details, weight }) => {
      const host = details.NetworkSettings.Networks?.[networkName(instance)]?.IPAddress ?? "";
      return host === "" ? [] : [{ id: details.Id, host, weight }];
    }),
    drainMs: spec.strategy.drainMs,
    ...(health === undefined ? {} : { health }),
  };
}
