import { volumeName, type InstanceIdentity, type VolumeSpec } from "@ctrlplane/core/provider";

/** Platform names of the volumes that a replica mounts; those of the host have none. */
export function volumesOf(
  instance: InstanceIdentity,
  volumes: readonly VolumeSpec[],
  ordinal: number,
): readonly string[] {
  return volumes.flatMap((each, index) => {
    if (each.host !== undefined) return [];
    if (each.external !== undefined) return each.external;
    return each.name === undefined
      ? volumeName(instance.name, ordinal, index, each.path)
      : `${instance.stack}-${each.name}`;
  });
}

export function externalVolumes(volumes: readonly VolumeSpec[]): readonly string[] {
  return volumes.flatMap((each) => each.external ?? []);
}
