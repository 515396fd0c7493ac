import type { SettledRelease } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { DeployRequest } from "../provider/requests.ts";
import type { RolloutState } from "./revision-driver.ts";
import type { Steps } from "./steps.ts";

/** What is to be rolled out: a `DeployRequest` without the instance, which the driver stands for. */
export type RolloutRequest = Omit<DeployRequest, "instance">;

/** What a strategy works with. */
export interface Rollout {
  /** Its releases carry the generation that runs, where their replicas are the ones that run. */
  readonly request: RolloutRequest;
  /** Replicas of `request.release`, decided. */
  readonly replicas: number;
  /** Replicas of `request.previous` to go back to, decided; 0 without one. */
  readonly previousReplicas: number;
  readonly platform: Steps;
  /** As it was before the first step. */
  readonly seen: RolloutState;
}

/** The record that a rollout leaves when it is done. */
export function settledRelease(
  release: Release,
  of: Pick<RolloutRequest, "deployment" | "replicas" | "scaledBy">,
): SettledRelease {
  return {
    releaseId: release.id,
    number: release.number,
    specHash: release.specHash,
    replicaHash: release.revision.replicaHash,
    generation: release.revision.generation,
    deployment: of.deployment,
    ...(release.fingerprint === undefined ? {} : { fingerprint: release.fingerprint }),
    ...(release.spec.image.kind === "reference" ? { image: release.image } : {}),
    replicas: of.replicas,
    ...(of.scaledBy === undefined ? {} : { scaledBy: of.scaledBy }),
  };
}
