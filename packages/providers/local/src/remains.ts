import { label, type Remains } from "@ctrlplane/core/provider";
import type { InstanceRecord } from "./supervisor/records.ts";
import type { VolumeRecord } from "./volumes.ts";

/** Volumes of instances that are not `present` any more: their own, and named ones that no instance has. Without a stack of all stacks. */
export function remainsOf(
  stack: string | undefined,
  volumes: readonly VolumeRecord[],
  present: readonly InstanceRecord[],
): readonly Remains[] {
  const names = new Set(present.map((each) => each.name));
  const used = new Set(present.flatMap((each) => each.volumes));
  const left = volumes.filter(
    (each) =>
      !used.has(each.name) && !names.has(ownerOf(each)) && (stack === undefined || each.labels[label.stack] === stack),
  );
  return [...Map.groupBy(left, ownerOf)].map(([name, own]) => describe(name, own));
}

/** The instance that has it alone, or that made it. */
export function ownerOf({ instance, labels }: VolumeRecord): string {
  return instance ?? labels[label.service] ?? "";
}

function describe(name: string, own: readonly VolumeRecord[]): Remains {
  const labels = own[0]?.labels ?? {};
  const stack = labels[label.stack] ?? "";
  const service = name.startsWith(`${stack}-`) ? name.slice(stack.length + 1) : name;
  return { name, stack, service, labels, volumes: own.map((each) => each.name).toSorted() };
}
