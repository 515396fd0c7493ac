import type { InstanceIdentity } from "./identity.ts";
import type { PinnedImage } from "./image.ts";
import type { PortSpec, ResourceSpec } from "./resources.ts";
import type { CommandSpec, FileMount, ServiceSpec, VolumeSpec } from "./spec.ts";

/**
 * What a replica runs. Two revisions with one `replicaHash` are interchangeable. `generation` counts `pctl restart`:
 * a restart replaces replicas by equal ones, so it makes a revision with the same hash and the next generation.
 */
export interface Revision {
  /** 64 hex digits (`replicaHash`). */
  readonly replicaHash: string;
  readonly generation: number;
  readonly image: PinnedImage;
  readonly entrypoint?: readonly string[];
  readonly command?: CommandSpec;
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly FileMount[];
  readonly volumes: readonly VolumeSpec[];
  readonly resources: ResourceSpec;
  readonly ports: readonly Pick<PortSpec, "containerPort" | "protocol">[];
  /** What else of the spec a running replica cannot change on its platform (`Provider.fixed`). */
  readonly fixed?: Readonly<Record<string, unknown>>;
}

/** `{hash}` or `{hash}.{generation}`: the name of a revision in labels, weights and records. */
export function revisionKey(revision: Pick<Revision, "replicaHash" | "generation">): string {
  return revision.generation === 0 ? revision.replicaHash : `${revision.replicaHash}.${revision.generation}`;
}

/** The complete, immutable bundle of an instance. Secret and environment values are plain here and sealed where stored. */
export interface Release {
  /** TypeID with prefix `rel`. */
  readonly id: string;
  /** 1, 2, 3 … of its instance. */
  readonly number: number;
  readonly instance: InstanceIdentity;
  readonly spec: ServiceSpec;
  readonly image: PinnedImage;
  readonly revision: Revision;
  /** `v1:` and 64 hex digits, over the whole resolved spec with the image's digest. */
  readonly specHash: string;
  readonly fingerprint?: string;
  /** The change that made it. */
  readonly change: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly commit?: string;
}
