import { CtrlPlaneError, instanceLabels, label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Labels, PortSpec, ProviderContext, SettledRelease } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";
import { VolumeRecords, withoutRecordLabels, type RecordCall, type StoredRecord } from "./volume-records.ts";

/** What is known of an instance and cannot be read from its containers. Without secrets. */
export interface InstanceRecord {
  readonly v: 1;
  readonly service: string;
  readonly settled?: SettledRelease;
  /** `stop` was asked for, and `start` not since then. */
  readonly stopped: boolean;
  /** Percent by container id, as last decided; absent where nothing is routed. */
  readonly targets?: Readonly<Record<string, number>>;
  /** Ports of the release that is routed. */
  readonly ports: readonly PortSpec[];
  /** Starts that passed their gate while nothing was routed to them yet: container id → when it was started. */
  readonly passed?: Readonly<Record<string, string>>;
  /** Names of the volumes of ours that the routed release has. */
  readonly volumes?: readonly string[];
  readonly range?: { readonly min: number; readonly max: number };
}

export interface FoundInstance {
  readonly name: string;
  readonly stack: string;
  readonly labels: Labels;
  readonly record: InstanceRecord;
}

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
  ): Promise<boolean> => {
    const { name } = instance;
    const labels = instanceLabels(instance);
    const call = callOf(context);
    const version =
      found === undefined
        ? await records.create(name, text, labels, call)
        : await records.swap(name, text, found.version, labels, call);
    if (version === undefined) seen.delete(name);
    else seen.set(name, { name, value: text, version, labels });
    return version !== undefined;
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

  return {
    async read(instance: Pick<InstanceIdentity, "name">, signal: AbortSignal): Promise<FoundInstance | undefined> {
      const found = await mappedEngine(instance.name, () => read(instance.name, signal));
      return found === undefined ? undefined : parse(found);
    },

    /** Those of a stack, or all. */
    async list(stack: string | undefined, signal: AbortSignal): Promise<readonly FoundInstance[]> {
      const labels = stack === undefined ? [] : ([[label.stack, stack]] as const);
      const found = await mappedEngine("the instances", () => records.list(labels, signal));
      return found.map(parse);
    },

    /** Replaces the record by what `change` makes of it. Throws `CONFLICT` where it is another stack's. */
    async change(
      instance: InstanceIdentity,
      change: (record: InstanceRecord) => InstanceRecord,
      context: ProviderContext,
    ): Promise<void> {
      const { name } = instance;
      await mappedEngine(name, () =>
        inTurn(name, async () => {
          for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
            const known = attempt === 1 ? seen.get(name) : undefined;
            const found = known ?? (await read(name, context.signal));
            if (found !== undefined) requireOurs(instance, found.labels);
            const before = found === undefined ? emptyRecord(instance) : parse(found).record;
            const text = JSON.stringify(change(before));
            if (found?.value === text) {
              // What was seen some time ago may be another by now.
              if (known === undefined) return;
            } else if (await write(instance, text, found, context)) return;
          }
          throw new CtrlPlaneError("CONFLICT", `${name} is being changed by others`, { target: name, retryable: true });
        }),
      );
    },

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

/** Throws `CONFLICT` where what bears these labels belongs to another stack of that name, or to nobody we know. */
export function requireOurs(instance: InstanceIdentity, labels: Labels, what: string = instance.name): void {
  if (labels[label.lineage] === instance.lineage && labels[label.stack] === instance.stack) return;
  const stack = labels[label.stack];
  const owner =
    stack === undefined
      ? "was not made by pctl"
      : `belongs to another stack (${stack}, ${labels[label.lineage] ?? "without lineage"})`;
  throw new CtrlPlaneError("CONFLICT", `${what} ${owner}`, {
    target: what,
    hint: "Rename the stack or the service; or remove what bears that name on the host.",
  });
}

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
