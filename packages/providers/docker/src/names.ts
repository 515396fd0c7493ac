import { fitName, sha256, volumeName } from "@ctrlplane/core/provider";
import type { AdoptedLayout, InstanceIdentity, VolumeSpec } from "@ctrlplane/core/provider";

/** Host names have at most 63 characters, and container names are host names in their network. */
const longestName = 63;

/** The stack's network, in which its services find each other. */
export function networkName({ stack }: Pick<InstanceIdentity, "stack">): string {
  return `${stack}-network`;
}

/** Of a replica beside another that bears its name: until that one is gone. The same for each attempt of one deployment. */
export function arrivingName(name: string, key: { readonly deployment: string; readonly revisionKey: string }): string {
  return fitName(`${name}.new-${sha256(`${key.deployment} ${key.revisionKey}`).slice(0, 8)}`, longestName);
}

/** Of a replica, as users know it, from the name that its container bears now, which begins with a slash. */
export function userNameOf(containerName: string): string {
  return containerName.slice(1).replace(/\.new-[0-9a-f]{8}$/, "");
}

/** Of a replica that has ended for good and is kept for its log. */
export function retiredName(name: string, id: string): string {
  return fitName(`${name}.old-${id.slice(0, 8)}`, longestName);
}

export function isRetired(name: string): boolean {
  return /\.old-[0-9a-f]{8}$/.test(name);
}

/** A volume as one replica mounts it. */
export interface Mount {
  readonly path: string;
  readonly readOnly: boolean;
  /** Folder of the host. */
  readonly host?: string;
  readonly volume?: {
    readonly name: string;
    /** Made by others, and never removed. */
    readonly isExternal: boolean;
    /** Has this replica alone for a user; services of the stack share all others. */
    readonly isOwn: boolean;
  };
}

/** What the replica with this ordinal mounts. `layout`: of what pctl 1.1 made. */
export function mountsOf(
  instance: InstanceIdentity,
  volumes: readonly VolumeSpec[],
  ordinal: number,
  layout?: AdoptedLayout,
): readonly Mount[] {
  let unnamed = 0;
  return volumes.map(({ path, name, external, host, readOnly }): Mount => {
    if (host !== undefined) return { path, readOnly, host };
    if (external !== undefined) return { path, readOnly, volume: { name: external, isExternal: true, isOwn: false } };
    if (name !== undefined)
      return { path, readOnly, volume: { name: `${instance.stack}-${name}`, isExternal: false, isOwn: false } };
    const own = volumeName(instance.name, ordinal, unnamed++, path, layout);
    return { path, readOnly, volume: { name: own, isExternal: false, isOwn: true } };
  });
}
