import { CtrlPlaneError, instanceLabels, label } from "@ctrlplane/core/provider";
import type { AdoptedLayout, InstanceIdentity, ProviderContext, ServiceSpec } from "@ctrlplane/core/provider";
import { isEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { dockerLabel } from "./labels.ts";
import { mountsOf, type Mount } from "./names.ts";
import { sightOf } from "./lease-sight.ts";
import { requireOurs } from "./require-ours.ts";
import { ownerOf } from "./remains.ts";
import { findVolumes, type VolumeAnswer } from "./volume-list.ts";

/** Names of the volumes of ours that a spec has, for the replicas that it begins with. */
export function volumesOf(
  instance: InstanceIdentity,
  spec: Pick<ServiceSpec, "scale" | "volumes">,
  layout?: AdoptedLayout,
): readonly string[] {
  const { replicas } = spec.scale;
  const count = Math.max(1, typeof replicas === "number" ? replicas : replicas.max);
  const all = Array.from({ length: count }, (_, index) => mountsOf(instance, spec.volumes, index + 1, layout)).flat();
  return [...new Set(all.flatMap(({ volume }) => (volume === undefined || volume.isExternal ? [] : [volume.name])))];
}

/** Every mount leads to a volume. `adopted`: names of those that pctl 1.1 made and are ours. Throws `NOT_FOUND` for a missing external one, `CONFLICT` for one of others. */
export async function ensureMounts(
  engine: EngineClient,
  instance: InstanceIdentity,
  mounts: readonly Mount[],
  adopted: readonly string[],
  context: ProviderContext,
): Promise<void> {
  for (const { volume } of mounts) {
    const isAdopted = volume !== undefined && adopted.includes(volume.name);
    if (volume !== undefined) await ensureVolume(engine, instance, volume, isAdopted, context);
  }
}

async function ensureVolume(
  engine: EngineClient,
  instance: InstanceIdentity,
  { name, isExternal, isOwn }: NonNullable<Mount["volume"]>,
  isAdopted: boolean,
  context: ProviderContext,
): Promise<void> {
  const { signal } = context;
  const path = `/volumes/${segment(name)}`;
  const found = await unlessMissing(engine.json<VolumeAnswer>({ method: "GET", path, signal }));
  if (isExternal) {
    if (found !== undefined) return;
    throw new CtrlPlaneError("NOT_FOUND", `the volume ${name} does not exist`, {
      target: name,
      hint: `Make it (\`docker volume create ${name}\`), or name it under \`name\` to have it made.`,
    });
  }
  if (found !== undefined && isAdopted) return;
  if (found !== undefined) return requireOurs(instance, found.Labels ?? {}, `volume ${name}`);
  await context.fence.check();
  if (isOwn) sightOf(engine, context.fence).makesVolume(instance.name);
  const owner = isOwn ? { [dockerLabel.owner]: instance.name } : {};
  const body = { Name: name, Labels: { ...instanceLabels(instance), ...owner } };
  const made = await engine.json<VolumeAnswer>({ method: "POST", path: "/volumes/create", body, signal });
  requireOurs(instance, made.Labels ?? {}, `volume ${name}`);
}

/** Volumes with data of a stack, without our records. */
export async function listVolumes(
  engine: EngineClient,
  stack: string | undefined,
  signal: AbortSignal,
): Promise<readonly VolumeAnswer[]> {
  const found = await findVolumes(engine, [stack === undefined ? label.managedBy : [label.stack, stack]], signal);
  return withData(found);
}

/** Without our records. */
export function withData(volumes: readonly VolumeAnswer[]): readonly VolumeAnswer[] {
  return volumes.filter((each) => each.Labels?.[label.role] === undefined);
}

/** Names of the instances that have volumes of their own among these. */
export function ownersOf(volumes: readonly VolumeAnswer[]): ReadonlySet<string> {
  return new Set(volumes.flatMap((each) => each.Labels?.[dockerLabel.owner] ?? []));
}

/** Those of one instance: its own, and the named ones that its routed release has. */
export async function instanceVolumes(
  engine: EngineClient,
  { name, named }: { readonly name: string; readonly named: readonly string[] },
  { fence, signal }: Pick<ProviderContext, "fence" | "signal">,
): Promise<readonly VolumeAnswer[]> {
  const hasOwn = sightOf(engine, fence).hasVolumes(name);
  const own = hasOwn ? await findVolumes(engine, [[dockerLabel.owner, name]], signal) : [];
  const others = named.filter((each) => own.every(({ Name }) => Name !== each));
  const shared = await Promise.all(
    others.map((each) =>
      unlessMissing(engine.json<VolumeAnswer>({ method: "GET", path: `/volumes/${segment(each)}`, signal })),
    ),
  );
  return [...own, ...shared.filter((each) => each !== undefined)];
}

/**
 * The instance's own volumes, and named ones that it made or `mounted`, are gone with their data; not named ones that are `used`: that
 * others have by their records, or by a container.
 */
export async function removeVolumes(
  engine: EngineClient,
  instance: InstanceIdentity,
  { mounted, used }: { readonly mounted: ReadonlySet<string>; readonly used: ReadonlySet<string> },
  context: ProviderContext,
): Promise<void> {
  for (const { Name, Labels } of await listVolumes(engine, instance.stack, context.signal)) {
    if (Labels?.[label.lineage] !== instance.lineage) continue;
    const isOwn = Labels[dockerLabel.owner] === instance.name;
    const wasShared =
      Labels[dockerLabel.owner] === undefined && (mounted.has(Name) || ownerOf(Labels) === instance.name);
    if (!isOwn && (!wasShared || used.has(Name))) continue;
    await context.fence.check();
    const path = `/volumes/${segment(Name)}`;
    try {
      await unlessMissing(engine.json({ method: "DELETE", path, signal: context.signal }));
    } catch (error) {
      // Another service mounts it.
      if (isOwn || !isEngineError(error, 409)) throw error;
    }
  }
}

/** Those that pctl 1.1 made are gone with their data. */
export async function removeAdopted(
  engine: EngineClient,
  names: readonly string[],
  { fence, signal }: ProviderContext,
): Promise<void> {
  for (const name of names) {
    await fence.check();
    await unlessMissing(engine.json({ method: "DELETE", path: `/volumes/${segment(name)}`, signal }));
  }
}
