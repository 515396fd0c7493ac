import { CtrlPlaneError, instanceLabels, label } from "@ctrlplane/core/provider";
import type { Fence, InstanceIdentity, ProviderContext, Release, RetainRequest } from "@ctrlplane/core/provider";
import { mappedEngine, removeBuilt, type EngineClient } from "@ctrlplane/images";
import type { InstanceRecords } from "./instance-records.ts";
import { requireOurs } from "./require-ours.ts";
import { VolumeRecords, type StoredRecord } from "./volume-records.ts";

/** Which images that were built the releases of one instance need: by the digest of their content. */
interface KeptImages {
  readonly v: 1;
  /** By number of the release. */
  readonly releases: Readonly<Record<number, string>>;
  /** Of no release yet: marked before they are looked for or built, so that nobody removes them meanwhile. */
  readonly building: readonly string[];
}

const nothing: KeptImages = { v: 1, releases: {}, building: [] };
/** Of one write, where others write at the same time. */
const mostAttempts = 5;

/**
 * Keeps account of built images on an engine, for all stacks that have some there, and removes those that no release needs any more. Only what
 * stands on record here is ever removed: nothing that was pulled by its name, or built by others.
 */
export function keptImages(engine: EngineClient, instances: InstanceRecords) {
  const records = new VolumeRecords(engine, "images");
  /** Instances that get an image under a lease: they may not be there yet. */
  const arriving = new WeakMap<Fence, Set<string>>();
  const arrives = ({ name }: InstanceIdentity, { fence }: ProviderContext): void => {
    arriving.set(fence, (arriving.get(fence) ?? new Set()).add(name));
  };

  const change = async (
    instance: InstanceIdentity,
    next: (kept: KeptImages) => KeptImages | undefined,
    context: ProviderContext,
  ): Promise<void> => {
    const call = { signal: context.signal, check: () => context.fence.check() };
    const { name } = instance;
    for (let attempt = 1; ; attempt += 1) {
      const found = await records.read(name, context.signal);
      if (found !== undefined) requireOurs(instance, found.labels, `the images of ${name}`);
      const kept = next(found === undefined ? nothing : parse(found));
      const text = kept === undefined ? undefined : JSON.stringify(kept);
      // One that is there twice is written once more.
      if (text === found?.value && found?.isDoubled !== true) return;
      const labels = instanceLabels(instance);
      const isDone =
        text === undefined
          ? await records.remove(name, found?.version, call)
          : (found === undefined
              ? await records.create(name, text, labels, call)
              : await records.swap(name, text, found.version, labels, call)) !== undefined;
      if (isDone) return;
      if (attempt === mostAttempts)
        throw new CtrlPlaneError("CONFLICT", `the images of ${name} are being changed by others`, { target: name });
    }
  };

  return {
    /** This one is about to be built, or found. */
    async mark(instance: InstanceIdentity, digest: string, context: ProviderContext): Promise<void> {
      arrives(instance, context);
      const isKnown = ({ releases, building }: KeptImages): boolean =>
        building.includes(digest) || Object.values(releases).includes(digest);
      const marked = (kept: KeptImages): KeptImages =>
        isKnown(kept) ? kept : { ...kept, building: [...kept.building, digest] };
      await mappedEngine(instance.name, () => change(instance, marked, context));
    },

    /** It is this release's from now on. Nothing happens for one whose image was not built. */
    async note({ instance, number, image }: Release, context: ProviderContext): Promise<void> {
      if (image.source?.how !== "build") return;
      arrives(instance, context);
      const { digest } = image;
      const noted = ({ releases, building, ...kept }: KeptImages): KeptImages => ({
        ...kept,
        releases: { ...releases, [number]: digest },
        building: building.filter((each) => each !== digest),
      });
      await mappedEngine(instance.name, () => change(instance, noted, context));
    },

    /** What other releases of the instance had alone goes; without any, also that of instances of its stack that are gone. */
    async retain({ instance, releases, isElsewhere = false }: RetainRequest, context: ProviderContext): Promise<void> {
      await mappedEngine(instance.name, async () => {
        const { signal } = context;
        const own = await records.read(instance.name, signal);
        if (own === undefined && (isElsewhere || releases.length > 0)) return;
        const [all, present] = await Promise.all([records.list([], signal), instances.list(undefined, signal)]);
        const isGone = releases.length === 0 && !isElsewhere;
        const there = new Set([...present.map((each) => each.name), ...(arriving.get(context.fence) ?? [])]);
        const isLeaving = ({ name, labels }: StoredRecord): boolean =>
          labels[label.lineage] === instance.lineage && (name === instance.name || (isGone && !there.has(name)));
        const remaining = ({ name, value }: StoredRecord): string[] => {
          const kept = Object.entries(parse({ value }).releases);
          return kept.flatMap(([number, digest]) =>
            name === instance.name && releases.includes(Number(number)) ? [digest] : [],
          );
        };
        const leaving = all.filter(isLeaving);
        const needed = new Set(all.flatMap((each) => (isLeaving(each) ? remaining(each) : digestsOf(parse(each)))));
        const declared = present.flatMap(({ record }) => record.settled?.image?.declared ?? []);
        // Another service may name it as it is called in its registry.
        const isNamed = (digest: string): boolean => declared.some((each) => each.includes(digest.slice(-64)));
        for (const { name, value } of leaving) {
          const inUse: string[] = [];
          for (const digest of new Set(digestsOf(parse({ value })))) {
            if (needed.has(digest) || isNamed(digest)) continue;
            await context.fence.check();
            if (!(await removeBuilt(engine, { digest }, signal))) inUse.push(digest);
          }
          const left = ({ v, releases: known }: KeptImages): KeptImages | undefined => {
            const rest = Object.entries(known).filter(([number]) => releases.includes(Number(number)));
            if (isGone || rest.length + inUse.length === 0) return undefined;
            return { v, releases: Object.fromEntries(rest), building: inUse };
          };
          await change({ ...instance, name }, left, context);
        }
      });
    },
  };
}

export type ImageAccount = ReturnType<typeof keptImages>;

function digestsOf({ releases, building }: KeptImages): string[] {
  return [...Object.values(releases), ...building];
}

function parse({ value }: Pick<StoredRecord, "value">): KeptImages {
  // Written by `change` alone.
  return JSON.parse(value) as KeptImages;
}
