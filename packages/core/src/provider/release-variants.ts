import { revisionOf, specHash } from "../model/hash.ts";
import type { SettledRelease } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { ResourceSpec } from "../model/resources.ts";

/** The release with other resources: the same id and number, and a revision of its own where they differ. */
export function releaseForScale(release: Release, resources: ResourceSpec | undefined): Release {
  if (resources === undefined) return release;
  const spec = { ...release.spec, scale: { ...release.spec.scale, ...resources } };
  const revision = revisionOf(spec, release.image, release.revision.generation, release.revision.fixed);
  if (revision.replicaHash === release.revision.replicaHash) return release;
  return { ...release, spec, revision: { ...revision, generation: 0 }, specHash: specHash(spec, release.image) };
}

/**
 * What a restart rolls out and what it replaces: one revision in two generations. `settled` by this very deployment: the
 * restart was done before, and both are the generation that runs.
 */
export function releaseForRestart(
  release: Release,
  settled: SettledRelease | undefined,
  deployment: string,
): { readonly release: Release; readonly previous: Release } {
  const running =
    settled?.replicaHash === release.revision.replicaHash ? settled.generation : release.revision.generation;
  const next = settled?.deployment === deployment ? running : running + 1;
  return { release: atGeneration(release, next), previous: atGeneration(release, running) };
}

function atGeneration(release: Release, generation: number): Release {
  return { ...release, revision: { ...release.revision, generation } };
}
