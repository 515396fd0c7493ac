import { label } from "@ctrlplane/core/provider";
import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { createContainer, type CreatedContainer } from "./create-replica.ts";
import type { ContainerDetails } from "./engine-types.ts";
import { dockerLabel } from "./labels.ts";
import { arrivingName } from "./names.ts";
import { retireReplica, stopReplica } from "./stop-replica.ts";

export interface ReplaceParts {
  readonly engine: EngineClient;
  /** Starts a container and waits for its gate. */
  readonly bringUp: (
    created: CreatedContainer,
    release: Release,
    context: ProviderContext,
  ) => Promise<ContainerDetails>;
}

/**
 * A replica that published ports itself, once more without them: a container keeps the ports that it was made with, and its gateway is to
 * have them now. Without volumes the new one is ready before the old one goes; two of them never share data.
 */
export async function replaceDirect(
  { engine, bringUp }: ReplaceParts,
  old: ContainerDetails,
  release: Release,
  context: ProviderContext,
): Promise<ContainerDetails> {
  const labels = old.Config.Labels ?? {};
  const ordinal = Number(labels[label.ordinal] ?? "1");
  const deployment = labels[dockerLabel.deployment] ?? "";
  const name = arrivingName(old.Name.slice(1), { deployment, revisionKey: `${old.Id} behind a gateway` });
  const make = async (): Promise<ContainerDetails> => {
    const made = await createContainer(engine, name, { release, ordinal, deployment, isDirect: false }, context);
    return bringUp(made, release, context);
  };
  const leave = async (): Promise<void> => {
    const { stop } = release.spec;
    await stopReplica(engine, old.Id, stop, context);
    await retireReplica(engine, old.Id, context);
  };
  if (release.revision.volumes.length > 0) {
    await leave();
    return make();
  }
  const made = await make();
  await leave();
  return made;
}
