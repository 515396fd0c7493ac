import { CtrlPlaneError, instanceLabels, label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, ProviderContext } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";
import { findContainers } from "./containers.ts";
import { emptyRecord, type FoundInstance, type InstanceRecord } from "./instance-record.ts";
import { knownRecords } from "./known-record.ts";
import { rebuiltRecord, type Whose } from "./rebuild-record.ts";
import { requireOurs } from "./require-ours.ts";
import { VolumeRecords, withoutRecordLabels, type RecordCall, type StoredRecord } from "./volume-records.ts";

type Reader = Pick<ProviderContext, "fence" | "signal">;

/** Of one write, where others write at the same time. */
const mostAttempts = 5;

/** Records of instances, each a labelled volume beside the containers that it is about. */
export function instanceRecords(engine: EngineClient) {
  const records = new VolumeRecords(engine, "instance");
  const known = knownRecords();
  const read = (name: string, { fence, signal }: Reader): Promise<StoredRecord | undefined> =>
    known(fence, name).read(() => records.read(name, signal));

  /** False where another writer came first. */
  const write = async (
    instance: InstanceIdentity,
    text: string,
    found: StoredRecord | undefined,
    context: ProviderContext,
    isFirst = false,
  ): Promise<boolean> => {
    const { name } = instance;
    const labels = instanceLabels(instance);
    const call = callOf(context);
    const written = await known(context.fence, name).write(async () => {
      const version =
        found === undefined
          ? await records.create(name, text, labels, call, { isFirst })
          : await records.swap(name, text, found.version, labels, call);
      return version === undefined ? undefined : { name, value: text, version, labels };
    });
    return written !== undefined;
  };

  /** Instances without a record and without containers, when they were looked for; that is done once. */
  const absent = new Set<string>();
  /** What its containers tell where it has no record. */
  const rebuilt = async ({ name, lineage }: Whose, signal: AbortSignal): Promise<FoundInstance | undefined> => {
    if (absent.has(name)) return undefined;
    const containers = await findContainers(engine, name, signal);
    if (containers.length === 0) absent.add(name);
    return rebuiltRecord(name, containers, lineage);
  };
  const find = async (instance: Whose, context: Reader): Promise<FoundInstance | undefined> => {
    const found = await read(instance.name, context);
    return found === undefined ? rebuilt(instance, context.signal) : parse(found);
  };

  /** Changes of one instance that are under way in this process: one at a time. */
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = async (name: string, work: () => Promise<void>): Promise<void> => {
    const mine = (turns.get(name) ?? Promise.resolve()).then(work);
    const settled = mine.catch(() => undefined);
    turns.set(name, settled);
    await mine;
    if (turns.get(name) === settled) turns.delete(name);
  };

  /** Replaces the record by what `make` makes of it. Throws `CONFLICT` where it is another stack's. */
  const change = async (
    instance: InstanceIdentity,
    make: (record: InstanceRecord) => InstanceRecord,
    context: ProviderContext,
  ): Promise<void> => {
    const { name } = instance;
    await mappedEngine(name, () =>
      inTurn(name, async () => {
        for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
          const found = await read(name, context);
          const before = found === undefined ? await rebuilt(instance, context.signal) : parse(found);
          if (before !== undefined) requireOurs(instance, before.labels);
          const text = JSON.stringify(make(before?.record ?? emptyRecord(instance)));
          // One that is there twice is written once more.
          const isWritten = found?.value === text && found.isDoubled !== true;
          if (isWritten || (await write(instance, text, found, context))) return;
        }
        throw new CtrlPlaneError("CONFLICT", `${name} is being changed by others`, { target: name, retryable: true });
      }),
    );
  };

  return {
    /** As it was recorded; where the record was removed, as its containers tell. */
    read(instance: Whose, context: Reader): Promise<FoundInstance | undefined> {
      return mappedEngine(instance.name, () => find(instance, context));
    },

    /** It has a record: before its first container is made, so that a container without one tells that the record was removed. */
    async begin(instance: InstanceIdentity, context: ProviderContext): Promise<void> {
      const { name } = instance;
      // Where it was looked for and not found, nothing is asked once more.
      const first = async (): Promise<boolean> => {
        if (!absent.has(name) || (await read(name, context)) !== undefined) return false;
        return write(instance, JSON.stringify(emptyRecord(instance)), undefined, context, true);
      };
      let isBegun = false;
      await mappedEngine(name, () => inTurn(name, async () => void (isBegun = await first())));
      if (!isBegun) await change(instance, (record) => record, context);
    },

    /** Of these names a list showed what is in `found`, and of the others neither a record nor a container. */
    saw(names: readonly string[], found: ReadonlyMap<string, unknown>): void {
      for (const name of names) {
        if (found.has(name)) absent.delete(name);
        else absent.add(name);
      }
    },

    /** All. To the holder of a lease these names are known from then on. */
    async listAll(names: readonly string[], { fence, signal }: Reader): Promise<readonly FoundInstance[]> {
      return mappedEngine("the instances", async () => {
        const listed = records.list([], signal);
        const byName = listed.then((all) => new Map(all.map((each) => [each.name, each])));
        // Begun before the answer is there: what is written meanwhile is newer.
        await Promise.all(names.map((name) => known(fence, name).read(async () => (await byName).get(name))));
        return (await listed).map(parse);
      });
    },

    /** Those of a stack, or all. */
    async list(stack: string | undefined, signal: AbortSignal): Promise<readonly FoundInstance[]> {
      const labels = stack === undefined ? [] : ([[label.stack, stack]] as const);
      const found = await mappedEngine("the instances", () => records.list(labels, signal));
      return found.map(parse);
    },

    change,

    async remove(instance: InstanceIdentity, context: ProviderContext): Promise<void> {
      await mappedEngine(instance.name, async () => {
        const found = await read(instance.name, context);
        if (found === undefined) return;
        requireOurs(instance, found.labels);
        await known(context.fence, instance.name).write(async () => {
          await records.remove(instance.name, undefined, callOf(context));
          return undefined;
        });
      });
    },
  };
}

export type InstanceRecords = ReturnType<typeof instanceRecords>;

function parse({ name, labels, value }: StoredRecord): FoundInstance {
  // Written by `change` alone.
  const record = JSON.parse(value) as InstanceRecord;
  return { name, stack: labels[label.stack] ?? "", labels: withoutRecordLabels(labels), record };
}

function callOf({ signal, fence }: ProviderContext): RecordCall {
  return { signal, check: () => fence.check() };
}
