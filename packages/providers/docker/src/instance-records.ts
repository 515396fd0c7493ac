import { CtrlPlaneError, instanceLabels, label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, ProviderContext } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";
import { findContainers } from "./containers.ts";
import { emptyRecord, type FoundInstance, type InstanceRecord } from "./instance-record.ts";
import { ledgerAges, ledgerVolumes } from "./ledger-age.ts";
import { sightOf } from "./lease-sight.ts";
import { rebuiltRecord, type Whose } from "./rebuild-record.ts";
import { requireOurs } from "./require-ours.ts";
import { VolumeRecords, withoutRecordLabels, type RecordCall, type StoredRecord } from "./volume-records.ts";

type Reader = Pick<ProviderContext, "fence" | "signal">;

/** Of one write, where others write at the same time. */
const mostAttempts = 5;

/** Records of instances, each a labelled volume beside the containers that it is about. */
export function instanceRecords(engine: EngineClient) {
  const records = new VolumeRecords(engine, "instance");
  const read = (name: string, { fence, signal }: Reader): Promise<StoredRecord | undefined> =>
    sightOf(engine, fence)
      .record(name)
      .read(() => records.read(name, signal));

  /** False where another writer came first. */
  const write = async (
    instance: InstanceIdentity,
    text: string,
    found: StoredRecord | undefined,
    context: ProviderContext,
  ): Promise<boolean> => {
    const { name } = instance;
    const sight = sightOf(engine, context.fence);
    const isFirst = sight.isNew(name);
    const labels = instanceLabels(instance);
    const call = callOf(context);
    const written = await sight.record(name).write(async () => {
      const version =
        found === undefined
          ? await records.create(name, text, labels, call, { isFirst })
          : await records.swap(name, text, found.version, labels, call);
      return version === undefined ? undefined : { name, value: text, version, labels };
    });
    return written !== undefined;
  };

  /** What its containers tell where it has no record. */
  const rebuilt = async ({ name, lineage }: Whose, { fence, signal }: Reader): Promise<FoundInstance | undefined> => {
    const sight = sightOf(engine, fence);
    const begun = sight.begun(name);
    if (begun !== undefined)
      return { name, stack: begun.stack, labels: instanceLabels(begun), record: emptyRecord(begun) };
    if (sight.isNew(name)) return undefined;
    const containers = await findContainers(engine, name, signal);
    if (containers.length === 0) sight.sawNone(name);
    const found = rebuiltRecord(name, containers, { lineage });
    if (found === undefined) return undefined;
    const ages = ledgerAges(await ledgerVolumes(engine, found.stack, signal));
    return rebuiltRecord(name, containers, { lineage, ages });
  };
  const find = async (instance: Whose, context: Reader): Promise<FoundInstance | undefined> => {
    const found = await read(instance.name, context);
    return found === undefined ? rebuilt(instance, context) : parse(found);
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
          const before = found === undefined ? await rebuilt(instance, context) : parse(found);
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

    /**
     * Before its first container is made: one that is found without a record is known to be of a deployment that did not end. That is
     * told by the stack's ledger, where it has one on this engine, and else by a record.
     */
    async begin(instance: InstanceIdentity, context: ProviderContext): Promise<void> {
      const sight = sightOf(engine, context.fence);
      if (sight.isNew(instance.name) && sight.hasLedger(instance.stack)) sight.begins(instance);
      else await change(instance, (record) => record, context);
    },

    /** All. To the holder of a lease these names are known from then on. */
    async listAll(names: readonly string[], { fence, signal }: Reader): Promise<readonly FoundInstance[]> {
      return mappedEngine("the instances", async () => {
        const listed = records.list([], signal);
        const byName = listed.then((all) => new Map(all.map((each) => [each.name, each])));
        // Begun before the answer is there: what is written meanwhile is newer.
        const sight = sightOf(engine, fence);
        await Promise.all(names.map((name) => sight.record(name).read(async () => (await byName).get(name))));
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
        const sight = sightOf(engine, context.fence);
        sight.ends(instance.name);
        const found = await read(instance.name, context);
        if (found === undefined) return;
        requireOurs(instance, found.labels);
        await sight.record(instance.name).write(async () => {
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
