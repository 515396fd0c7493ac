import { label, type Labels, type Remains } from "@ctrlplane/core/provider";
import type { FoundAdoption } from "./adoption.ts";
import type { ContainerSummary } from "./engine-types.ts";
import type { FoundInstance } from "./instance-record.ts";
import { dockerLabel } from "./labels.ts";
import type { VolumeAnswer } from "./volume-list.ts";

export interface RemainsView {
  /** Undefined: of all stacks. */
  readonly stack: string | undefined;
  /** Volumes of ours, with data. */
  readonly volumes: readonly VolumeAnswer[];
  readonly adopted: ReadonlyMap<string, FoundAdoption>;
  /** Instances that are there, by name. */
  readonly present: ReadonlyMap<string, FoundInstance>;
  readonly containers: readonly ContainerSummary[];
}

/** Volumes of instances that are not there any more: their own, those of pctl 1.1, and shared ones that nobody else has. */
export function remainsOf({ stack, volumes, adopted, present, containers }: RemainsView): readonly Remains[] {
  const isUsed = usedBy([...present.values()], containers);
  const labelled = volumes.flatMap(({ Name, Labels }): Left[] => {
    const labels = Labels ?? {};
    const owner = labels[dockerLabel.owner];
    return owner === undefined && isUsed(Name) ? [] : [{ volume: Name, labels, name: ownerOf(labels) }];
  });
  const taken = [...adopted].flatMap(([name, { labels, volumes: own }]) =>
    own.map((volume): Left => ({ volume, labels, name })),
  );
  const left = [...labelled, ...taken].filter(
    ({ labels, name }) =>
      name !== undefined && !present.has(name) && (stack === undefined || labels[label.stack] === stack),
  );
  return [...Map.groupBy(left, ({ name = "" }) => name)].map(([name, own]) => describe(name, own));
}

/** The instance that made it, or that has it alone. */
export function ownerOf(labels: Labels): string | undefined {
  return labels[dockerLabel.owner] ?? labels[label.service];
}

/** Whether a container mounts the volume, or the record of an instance names it. */
function usedBy(present: readonly FoundInstance[], containers: readonly ContainerSummary[]) {
  const used = new Set([
    ...present.flatMap(({ record }) => record.volumes ?? []),
    ...containers.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => Name ?? [])),
  ]);
  return (name: string): boolean => used.has(name);
}

interface Left {
  readonly volume: string;
  readonly labels: Labels;
  readonly name: string | undefined;
}

function describe(name: string, left: readonly Left[]): Remains {
  const { [dockerLabel.owner]: _, ...labels } = left[0]?.labels ?? {};
  const stack = labels[label.stack] ?? "";
  const service = name.startsWith(`${stack}-`) ? name.slice(stack.length + 1) : name;
  return { name, stack, service, labels, volumes: left.map((each) => each.volume).toSorted() };
}
