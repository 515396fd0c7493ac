import { label, type InstanceIdentity, type Remains } from "@ctrlplane/core/provider";
import type { PlatformState, VolumeRecord } from "../protocol.ts";

/** Volumes that no instance uses which is there, each with the first that did. */
export function remainsOf(state: PlatformState, stack: string | undefined): readonly Remains[] {
  const left = Object.values(state.volumes).filter(
    (each) => each.isOurs && !isUsed(state, each) && (stack === undefined || each.labels[label.stack] === stack),
  );
  return [...Map.groupBy(left, ({ users: [first = ""] }) => first)].map(([name, own]) => {
    const labels = own[0]?.labels ?? {};
    const of = labels[label.stack] ?? "";
    return { name, stack: of, service: name.slice(of.length + 1), labels, volumes: own.map((each) => each.name) };
  });
}

/** Those that the instance used, and nobody else does who is there. */
export function removeVolumes(state: PlatformState, { name, lineage }: InstanceIdentity): void {
  for (const volume of Object.values(state.volumes)) {
    const wasUsed = volume.isOurs && volume.users.includes(name) && volume.labels[label.lineage] === lineage;
    if (wasUsed && !isUsed(state, volume)) Reflect.deleteProperty(state.volumes, volume.name);
  }
}

function isUsed({ instances }: PlatformState, { users }: VolumeRecord): boolean {
  return users.some((each) => instances[each] !== undefined);
}
