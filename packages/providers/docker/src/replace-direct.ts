import { label } from "@ctrlplane/core/provider";
import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import { isEngineError, type EngineClient } from "@ctrlplane/images";
import type { Adoptions } from "./adoption.ts";
import { copyWithoutPorts } from "./copy-container.ts";
import { inspect } from "./containers.ts";
import { createContainer, type CreatedContainer } from "./create-replica.ts";
import type { ContainerDetails } from "./engine-types.ts";
import { dockerLabel } from "./labels.ts";
import { arrivingName } from "./names.ts";
import { requireOurs } from "./require-ours.ts";
import { renameContainer, retireReplica, stopReplica } from "./stop-replica.ts";
import { requireContainer } from "./wait-ready.ts";

export interface ReplaceParts {
  readonly engine: EngineClient;
  readonly start: (created: CreatedContainer, context: ProviderContext) => Promise<void>;
  readonly adoptions: Adoptions;
  /** Starts a container and waits for its gate. */
  readonly bringUp: (
    created: CreatedContainer,
    release: Release,
    context: ProviderContext,
  ) => Promise<ContainerDetails>;
}

/**
 * A replica that published ports itself, once more without them: a container keeps the ports that it was made with, and its gateway is to
 * have them now. Without volumes the new one is there before the old one goes; two of them never share data. One of another release than `release`
 * is copied as it is, so that it goes on beside the new one for as long as the rollout wants.
 */
export async function replaceDirect(
  parts: ReplaceParts,
  old: ContainerDetails,
  release: Release,
  context: ProviderContext,
): Promise<ContainerDetails> {
  const { engine } = parts;
  const isSame = old.Config.Labels?.[label.replicaHash] === release.revision.replicaHash;
  const make = (): Promise<ContainerDetails> =>
    isSame ? makeAgain(parts, old, release, context) : makeCopy(parts, old, release, context);
  const leave = async (): Promise<void> => {
    const { stop } = release.spec;
    await stopReplica(engine, old.Id, stop, context);
    await retireReplica(engine, old.Id, context);
  };
  const isAlone = old.Mounts.some(({ Type }) => Type === "volume");
  if (isAlone) await leave();
  const made = await make();
  if (!isAlone) await leave();
  // It takes the old one's place, also where the rollout is taken back.
  await renameContainer(engine, made.Id, old.Name.slice(1), context);
  return made;
}

async function makeAgain(
  { engine, adoptions, bringUp }: ReplaceParts,
  old: ContainerDetails,
  release: Release,
  context: ProviderContext,
): Promise<ContainerDetails> {
  const labels = old.Config.Labels ?? {};
  const ordinal = Number(labels[label.ordinal] ?? "1");
  const deployment = labels[dockerLabel.deployment] ?? "";
  const layout = (await adoptions.read(release.instance, context.signal))?.layout;
  const place = { release, ordinal, deployment, isDirect: false, ...(layout === undefined ? {} : { layout }) };
  const made = await unlessMade(engine, nameFor(old), release, context, (name) =>
    createContainer(engine, name, place, context),
  );
  return bringUp(made, release, context);
}

/** It served before, so nothing is asked of it but that it starts; the gateway asks it then. */
async function makeCopy(
  { engine, start }: ReplaceParts,
  old: ContainerDetails,
  release: Release,
  context: ProviderContext,
): Promise<ContainerDetails> {
  const made = await unlessMade(engine, nameFor(old), release, context, (name) =>
    copyWithoutPorts(engine, old, name, context),
  );
  await start(made, context);
  return requireContainer(engine, made, context.signal);
}

/** The same for each attempt. */
function nameFor({ Id, Name, Config }: ContainerDetails): string {
  const deployment = Config.Labels?.[dockerLabel.deployment] ?? "";
  return arrivingName(Name.slice(1), { deployment, revisionKey: `${Id} behind a gateway` });
}

/** An attempt that was interrupted may have made it. */
async function unlessMade(
  engine: EngineClient,
  name: string,
  { instance }: Release,
  context: ProviderContext,
  make: (name: string) => Promise<CreatedContainer>,
): Promise<CreatedContainer> {
  try {
    return await make(name);
  } catch (error) {
    const found = isEngineError(error, 409) ? await inspect(engine, name, context.signal) : undefined;
    if (found === undefined) throw error;
    requireOurs(instance, found.Config.Labels ?? {}, `the container ${name}`);
    return { id: found.Id, name };
  }
}
