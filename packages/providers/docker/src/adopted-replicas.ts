import type { InstanceIdentity, PortSpec, ProviderContext, Replica, ServiceSpec } from "@ctrlplane/core/provider";
import { isEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { isLegacy, legacyLayout, legacyVolumes, plainName, type Adoption, type Adoptions } from "./adoption.ts";
import { describe, findContainers, inspect } from "./containers.ts";
import type { ContainerDetails, ContainerSummary } from "./engine-types.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { isRetired } from "./names.ts";
import { removeContainer } from "./remove-container.ts";
import { renameContainer, stopReplica } from "./stop-replica.ts";

/** Stands for the revision of what pctl 1.1 made, of which nobody knows a release. */
export const legacyRevision = { replicaHash: "pctl-1.1", generation: 0, deployment: "" } as const;

/** What pctl 1.1 made of one instance, as the list of containers shows it. */
export interface Legacy {
  readonly containers: readonly ContainerSummary[];
  readonly volumes: readonly string[];
  readonly layout?: Adoption["layout"];
  readonly ports: readonly PortSpec[];
}

/** What is on record of an instance, of which containers of 1.1 are there. */
interface Recorded {
  readonly adoption: Adoption | undefined;
  /** Undefined where none was written. */
  readonly record: InstanceRecord | undefined;
}

/**
 * Those of 1.1 among the containers of an instance. Beside what is ours only what was taken over counts; until a release has replaced that, also what
 * 1.1 made anew in its place.
 */
export function legacyAmong(
  containers: readonly ContainerSummary[],
  { adoption, record }: Recorded,
): readonly ContainerSummary[] {
  const isMine = ({ Id }: ContainerSummary): boolean =>
    adoption === undefined ? record === undefined : record?.settled === undefined || adoption.containers.includes(Id);
  return containers.filter((each) => isLegacy(each) && isMine(each));
}

/** Undefined where nothing of 1.1 is there, nor was taken over. */
export function legacyOf(
  name: string,
  containers: readonly ContainerSummary[],
  recorded: Recorded,
): Legacy | undefined {
  const { adoption } = recorded;
  const own = legacyAmong(containers, recorded);
  if (own.length === 0 && adoption === undefined) return undefined;
  const volumes = adoption?.volumes ?? [...new Set(own.flatMap(legacyVolumes))].sort();
  const layout = adoption === undefined ? legacyLayout(name, own, volumes) : adoption.layout;
  return { containers: own, volumes, ports: portsOf(own), ...(layout === undefined ? {} : { layout }) };
}

function portsOf(containers: readonly ContainerSummary[]): readonly PortSpec[] {
  const found = new Map<string, PortSpec>();
  for (const { PrivatePort: containerPort, PublicPort: hostPort, Type } of containers.flatMap((each) => each.Ports)) {
    const protocol = Type === "udp" ? "udp" : "auto";
    if (hostPort !== undefined) found.set(`${hostPort}/${Type}`, { containerPort, hostPort, protocol });
  }
  return [...found.values()].sort((a, b) => (a.hostPort ?? 0) - (b.hostPort ?? 0));
}

/** `{name}` and `{name}-1` are the first. */
export function legacyOrdinal(containerName: string, name: string): number {
  return Number(/^-(\d+)$/.exec(plainName(containerName).slice(name.length))?.[1] ?? 1);
}

/** Replicas that were taken over and that no release has replaced yet; those that wait stopped for that are among them. */
export async function listAdopted(
  engine: EngineClient,
  { name }: Pick<InstanceIdentity, "name">,
  recorded: Recorded,
  signal: AbortSignal,
): Promise<readonly Replica[]> {
  const { adoption, record } = recorded;
  if (adoption === undefined || (adoption.containers.length === 0 && record?.settled !== undefined)) return [];
  const own = legacyAmong(await findContainers(engine, name, signal), recorded);
  const details = await Promise.all(own.map(({ Id }) => inspect(engine, Id, signal)));
  return details.flatMap((each) => (each === undefined ? [] : describeAdopted(each, name, record?.stopped)));
}

/** A container of pctl 1.1 as a replica. `stopped`: `stop` was asked for. */
export function describeAdopted(details: ContainerDetails, name: string, stopped = false): Replica {
  const own = details.Name.slice(1);
  const seen = describe(details, { targets: {}, stopped: stopped || isRetired(own), hasPassed: () => true });
  const { state } = seen;
  const isMade = details.State.Status === "created";
  return {
    ...seen,
    ...legacyRevision,
    name: plainName(own),
    ordinal: legacyOrdinal(own, name),
    state: isMade ? "stopped" : state,
    isAdopted: true,
  };
}

/** Host ports of what was taken over are free for what takes its place, which is ready by now. */
export async function freePorts(
  engine: EngineClient,
  adopted: readonly string[],
  { stop }: Pick<ServiceSpec, "stop">,
  context: ProviderContext,
): Promise<void> {
  for (const id of adopted) {
    const details = await inspect(engine, id, context.signal);
    if (Object.keys(details?.HostConfig.PortBindings ?? {}).length > 0)
      await stopReplica(engine, id, { graceMs: stop.graceMs }, context);
  }
}

/** What ran when it was taken over runs again, under its own name. False where some of it is gone or does not stay up. */
export async function restoreAdopted(
  engine: EngineClient,
  { running }: Adoption,
  context: ProviderContext,
): Promise<boolean> {
  const up = await Promise.all(
    running.map(async (id) => {
      const details = await inspect(engine, id, context.signal);
      if (details === undefined) return false;
      await underItsName(engine, details, context);
      await context.fence.check();
      await engine.json({ method: "POST", path: `/containers/${segment(id)}/start`, signal: context.signal });
      return (await inspect(engine, id, context.signal))?.State.Running === true;
    }),
  );
  return up.every(Boolean);
}

/** Not as it is called while it waits stopped for its successor. */
export async function underItsName(
  engine: EngineClient,
  { Id, Name }: Pick<ContainerDetails, "Id" | "Name">,
  context: ProviderContext,
): Promise<void> {
  const name = Name.slice(1);
  if (isRetired(name)) await renameContainer(engine, Id, plainName(name), context);
}

/** A release has taken its place: containers and image of pctl 1.1 go. Volumes stay, and so does what is known of them. */
export async function leaveAdopted(
  engine: EngineClient,
  adoptions: Adoptions,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<void> {
  const adoption = await adoptions.read(instance, context.signal);
  if (adoption === undefined) return;
  if (adoption.containers.length === 0 && adoption.image === undefined && !adoption.isDoubled) return;
  for (const id of adoption.containers) await removeContainer(engine, id, context);
  if (adoption.image !== undefined) await removeImage(engine, adoption.image, context);
  const { volumes, layout } = adoption;
  const rest = layout === undefined ? {} : { layout };
  await adoptions.write(instance, { v: 1, containers: [], running: [], volumes, ...rest }, context);
}

async function removeImage(engine: EngineClient, name: string, { fence, signal }: ProviderContext): Promise<void> {
  await fence.check();
  try {
    await unlessMissing(engine.json({ method: "DELETE", path: `/images/${name}`, signal }));
  } catch (error) {
    // A container that is not ours uses it.
    if (!isEngineError(error, 409)) throw error;
  }
}
