import { CtrlPlaneError, instanceLabels, label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, ProviderContext } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";
import { findContainers } from "./containers.ts";
import type { FoundInstance, InstanceRecord } from "./instance-record.ts";
import { rebuiltRecord, type Whose } from "./rebuild-record.ts";
import { requireOurs } from "./require-ours.ts";
import { VolumeRecords, withoutRecordLabels, type RecordCall, type StoredRecord } from "./volume-records.ts";

/** Of one write, where others write at the same time. */
const mostAttempts = 5;

/** Records of instances, each a labelled volume beside the containers that it is about. */
export function instanceRecords(engine: EngineClient) {
  const records = new VolumeRecords(engine, "instance");
  /** As this process read or wrote them last: the version of a write, which says when it is out of date. */
  const seen = new Map<string, StoredRecord>();
  const read = async (name: string, signal: AbortSignal): Promise<StoredRecord | undefined> => {
    const found = await records.read(name, signal);
    if (found === undefined) seen.delete(name);
    else seen.set(name, found);
    return found;
  };

  /** False where another writer came first. */
  const write = async (
    instance: InstanceIdentity,
    text: string,
    found: StoredRecord | undefined,
    context: ProviderContext,
    isAbsent = false,
  ): Promise<boolean> => {
    const { name } = instance;
    const labels = instanceLabels(instance);
    const call = callOf(context);
    const version =
      found === undefined
        ? await records.create(name, text, labels, call, { isAbsent })
        : await records.swap(name, text, found.version, labels, call);
    if (version === undefined) seen.delete(name);
    else seen.set(name, { name, value: text, version, labels });
    return version !== undefined;
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
  const find = async (instance: Whose, signal: AbortSignal): Promise<FoundInstance | undefined> => {
    const found = await read(instance.name, signal);
    return found === undefined ? rebuilt(instance, signal) : parse(found);
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
          const known = attempt === 1 ? seen.get(name) : undefined;
          const found = known ?? (await read(name, context.signal));
          const before = found === undefined ? await rebuilt(instance, context.signal) : parse(found);
          if (before !== undefined) requireOurs(instance, before.labels);
          const text = JSON.stringify(make(before?.record ?? emptyRecord(instance)));
          if (found?.value === text) {
            // What was seen some time ago may be another by now.
            if (known === undefined) return;
          } else if (await write(instance, text, found, context)) return;
        }
        throw new CtrlPlaneError("CONFLICT", `${name} is being changed by others`, { target: name, retryable: true });
      }),
    );
  };

  return {
    /** As it was recorded; where the record was removed, as its containers tell. */
    read(instance: Whose, signal: AbortSignal): Promise<FoundInstance | undefined> {
      return mappedEngine(instance.name, () => find(instance, signal));
    },

    /** It has a record: before its first container is made, so that a container without one tells that the record was removed. */
    async begin(instance: InstanceIdentity, context: ProviderContext): Promise<void> {
      const { name } = instance;
      const isBegun = await mappedEngine(name, async () => {
        let isThere = seen.has(name);
        await inTurn(name, async () => {
          isThere ||= seen.has(name);
          // Where it was looked for and not found, nothing is asked once more.
          const text = JSON.stringify(emptyRecord(instance));
          if (!isThere && absent.has(name)) isThere = await write(instance, text, undefined, context, true);
        });
        return isThere;
      });
      if (!isBegun) await change(instance, (record) => record, context);
    },

    /** These have neither a record nor a container, as a list showed. */
    sawNothingOf(names: readonly string[]): void {
      for (const name of names) absent.add(name);
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
        const found = await read(instance.name, context.signal);
        if (found === undefined) return;
        requireOurs(instance, found.labels);
        await records.remove(instance.name, undefined, callOf(context));
        seen.delete(instance.name);
      });
    },
  };
}

export type InstanceRecords = ReturnType<typeof instanceRecords>;

function emptyRecord({ service }: InstanceIdentity): InstanceRecord {
  return { v: 1, service, stopped: false, ports: [] };
}

function parse({ name, labels, value }: StoredRecord): FoundInstance {
  // Written by `change` alone.
  const record = JSON.parse(value) as InstanceRecord;
  return { name, stack: labels[label.stack] ?? "", labels: withoutRecordLabels(labels), record };
}

function callOf({ signal, fence }: ProviderContext): RecordCall {
  return { signal, check: () => fence.check() };
}
