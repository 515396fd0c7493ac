import { CtrlPlaneError, replicaLabels, replicaName, revisionKey } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Release, ReplicaDriver, ServiceSpec } from "@ctrlplane/core/provider";
import { describeRelease } from "./describe.ts";
import { replicaId } from "./layout.ts";
import type { MountedFiles } from "./mounted-files.ts";
import { argumentsOf, environmentOf, policyOf, portsOf } from "./revision.ts";
import type { SnapshotManifest, SnapshotStore } from "./snapshot.ts";
import type { CreateReplica } from "./supervisor/operations.ts";
import { ensureMounts, mountsOf } from "./volumes.ts";

export interface ReplicaParts {
  readonly dir: string;
  readonly snapshots: SnapshotStore;
  readonly files: MountedFiles;
  /** Which limits control groups allow here. */
  limits(): Promise<{ readonly cpu: boolean; readonly memory: boolean }>;
}

/** What a replica is made of. Its volumes and files exist when this returns. */
export async function describeReplica(
  parts: ReplicaParts,
  request: Parameters<ReplicaDriver["create"]>[0],
): Promise<CreateReplica> {
  const { release, ordinal, replicas, deployment } = request;
  const { instance, revision } = release;
  const { dir, snapshots, files } = parts;
  const manifest = await requireSnapshot(snapshots, release);
  const name = replicaName(instance.name, ordinal, replicas);
  return {
    replica: {
      id: replicaId(name, { deployment, revisionKey: revisionKey(revision), ordinal }),
      name,
      instance: instance.name,
      deployment,
      releaseNumber: release.number,
      ordinal,
      replicaHash: revision.replicaHash,
      generation: revision.generation,
      labels: replicaLabels(instance, { ...revision, ordinal }),
      command: argumentsOf(revision, manifest.single),
      policy: policyOf(release),
      limits: await limitsOf(release, parts),
      ports: portsOf(revision),
    },
    env: environmentOf(revision),
    workFrom: { tree: snapshots.tree(revision.image.digest) },
    links: await linksOf(dir, files, release, ordinal),
    instance: describeRelease(release, volumesOf(dir, instance, release.spec)),
  };
}

/** Volumes and files of a replica as links in its working folder; all of them exist when this returns. */
export async function linksOf(
  dir: string,
  files: MountedFiles,
  { instance, revision }: Release,
  ordinal: number,
): Promise<CreateReplica["links"]> {
  const mounts = mountsOf(dir, instance, revision.volumes, ordinal);
  await ensureMounts(dir, instance, mounts);
  const mounted = await Promise.all(
    revision.files.map(async (file) => ({ path: file.path, target: await files.ensure(file) })),
  );
  return [...mounts.map(({ path, target }) => ({ path, target })), ...mounted];
}

/** A limit that cannot be kept here was allowed to be ignored, or `check` would have refused it. */
export async function limitsOf(
  { revision, spec }: Release,
  parts: ReplicaParts,
): Promise<CreateReplica["replica"]["limits"]> {
  const { cpuMillis, memoryMb } = revision.resources;
  if (cpuMillis === undefined && memoryMb === undefined) return {};
  const possible = await parts.limits();
  const isWanted = (name: string, isPossible: boolean) => isPossible || !spec.accept.includes(name);
  return {
    ...(cpuMillis !== undefined && isWanted("scale.cpu", possible.cpu) ? { cpuMillis } : {}),
    ...(memoryMb !== undefined && isWanted("scale.memory", possible.memory) ? { memoryMb } : {}),
  };
}

/** Names of the volumes of ours that a spec has, for the replicas that it begins with. */
export function volumesOf(
  dir: string,
  instance: InstanceIdentity,
  spec: Pick<ServiceSpec, "scale" | "volumes">,
): readonly string[] {
  const { replicas } = spec.scale;
  const count = Math.max(1, typeof replicas === "number" ? replicas : replicas.min);
  const ordinals = Array.from({ length: count }, (_, index) => index + 1);
  const mounts = ordinals.flatMap((ordinal) => mountsOf(dir, instance, spec.volumes, ordinal));
  return [...new Set(mounts.flatMap((mount) => (mount.isExternal ? [] : (mount.volume?.name ?? []))))];
}

/** @throws `NOT_FOUND` where the release is older than what is kept. */
export async function requireSnapshot(snapshots: SnapshotStore, release: Release): Promise<SnapshotManifest> {
  const found = await snapshots.find(release.revision.image.digest);
  if (found !== undefined) return found;
  const { instance, number, image } = release;
  throw new CtrlPlaneError("NOT_FOUND", `the files of release ${number} (${image.declared}) are not kept any more`, {
    target: `${instance.name} release ${number}`,
    hint: `Deploy ${instance.service} from its source, or raise \`keep\` for the releases to come.`,
  });
}
