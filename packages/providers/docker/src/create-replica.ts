import { CtrlPlaneError, label, replicaName, revisionKey } from "@ctrlplane/core/provider";
import type { ProviderContext, Replica, ReplicaDriver } from "@ctrlplane/core/provider";
import { isEngineError, type EngineClient } from "@ctrlplane/images";
import type { Adoption } from "./adoption.ts";
import { containerBody, publishesItself, type ReplicaPlace } from "./container-body.ts";
import { describe, findContainers, inspect, isReplica, nameOf, wasStarted } from "./containers.ts";
import type { ContainerDetails, ContainerSummary } from "./engine-types.ts";
import { putFiles } from "./files.ts";
import { dockerLabel } from "./labels.ts";
import { sightOf } from "./lease-sight.ts";
import { arrivingName, isRetired, mountsOf } from "./names.ts";
import { removeContainer } from "./remove-container.ts";
import { requireOurs } from "./require-ours.ts";
import type { SeenContainers } from "./seen-containers.ts";
import { ensureMounts } from "./volumes.ts";

export interface CreatedContainer {
  readonly id: string;
  readonly name: string;
}

/** `isDirect`: it publishes its ports itself. `isOnly`: the instance had no container, and this one bears the name that it keeps. */
export interface MadeReplica {
  readonly replica: Replica;
  readonly isDirect: boolean;
  readonly isOnly: boolean;
}

type CreateRequest = Parameters<ReplicaDriver["create"]>[0];

/**
 * A container with its files that does not run yet: the one that this deployment made for this ordinal, or a new one. One of another
 * process that was never started is made anew: an engine that was killed while it started one never runs that one again (26.1 kills
 * it after a second or two, as often as it is started), and its files may not be whole.
 */
export async function createReplica(
  engine: EngineClient,
  request: CreateRequest,
  { adoption, seen }: { readonly adoption: Adoption | undefined; readonly seen: SeenContainers },
  context: ProviderContext,
): Promise<MadeReplica> {
  const { release, ordinal, replicas, deployment } = request;
  const { instance, revision } = release;
  const sight = sightOf(engine, context.fence);
  const existing = sight.isBare(instance.name) ? [] : await findContainers(engine, instance.name, context.signal);
  sight.makesContainer(instance.name);
  const found = existing.find((each) => isMadeFor(each, request));
  const details = found === undefined ? undefined : await requireDetails(engine, found.Id, context);
  const isLeft = details !== undefined && !seen.isMade(details.Id) && !wasStarted(details.State);
  if (isLeft) await removeContainer(engine, details.Id, context);
  else if (details !== undefined) {
    const replica = describe(details, { targets: {}, stopped: false, hasPassed: () => false });
    if (details.State.Status === "created") await putFiles(engine, replica, release, context);
    return { replica, isDirect: false, isOnly: false };
  }
  const mounts = mountsOf(instance, revision.volumes, ordinal, adoption?.layout);
  await ensureMounts(engine, instance, mounts, adoption?.volumes ?? [], context);
  const wanted = replicaName(instance.name, ordinal, replicas);
  const arriving = arrivingName(wanted, { deployment, revisionKey: revisionKey(revision) });
  const isTaken = existing.some((each) => nameOf(each) === wanted && !(isLeft && each.Id === details.Id));
  const hasGateway = existing.some((each) => each.Labels?.[label.role] === "gateway");
  const isDirect = publishesItself(release.spec) && replicas === 1 && !hasGateway;
  const layout = adoption?.layout;
  const place = { release, ordinal, deployment, isDirect, ...(layout === undefined ? {} : { layout }) };
  const create = async (): Promise<CreatedContainer> => {
    try {
      return await createContainer(engine, isTaken ? arriving : wanted, place, context);
    } catch (error) {
      if (!isEngineError(error, 409)) throw error;
      await requireNotForeign(engine, wanted, request, context);
      return createContainer(engine, arriving, place, context);
    }
  };
  const { replicaHash, generation } = revision;
  const fresh = {
    ordinal,
    replicaHash,
    generation,
    deployment,
    state: "starting",
    routed: false,
    restarts: 0,
  } as const;
  const created = await create();
  const isOnly = existing.length === 0 && replicas === 1 && created.name === wanted;
  return { replica: { ...created, ...fresh }, isDirect, isOnly };
}

/** With its files; it does not run yet. */
export async function createContainer(
  engine: EngineClient,
  name: string,
  place: ReplicaPlace,
  context: ProviderContext,
): Promise<CreatedContainer> {
  await context.fence.check();
  const { Id } = await engine.json<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    query: { name },
    body: containerBody(place),
    signal: context.signal,
  });
  const created = { id: Id, name };
  await putFiles(engine, created, place.release, context);
  return created;
}

async function requireDetails(engine: EngineClient, id: string, context: ProviderContext): Promise<ContainerDetails> {
  const details = await inspect(engine, id, context.signal);
  if (details !== undefined) return details;
  throw new CtrlPlaneError("CONFLICT", `the container ${id.slice(0, 12)} was removed by others`, { retryable: true });
}

function isMadeFor(container: ContainerSummary, { release, ordinal, deployment }: CreateRequest): boolean {
  const labels = container.Labels ?? {};
  return (
    isReplica(container) &&
    !isRetired(nameOf(container)) &&
    labels[dockerLabel.deployment] === deployment &&
    labels[label.replicaHash] === release.revision.replicaHash &&
    labels[label.generation] === String(release.revision.generation) &&
    labels[label.ordinal] === String(ordinal)
  );
}

/** Throws `CONFLICT` where the name belongs to a container that is not of this instance. */
async function requireNotForeign(
  engine: EngineClient,
  name: string,
  { release }: CreateRequest,
  context: ProviderContext,
): Promise<void> {
  const found = await inspect(engine, name, context.signal);
  if (found !== undefined) requireOurs(release.instance, found.Config.Labels ?? {}, `the container ${name}`);
}
