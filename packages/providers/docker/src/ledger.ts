import { checkRecordName, checkRecordPrefix, checkRecordValue, CtrlPlaneError, label } from "@ctrlplane/core/provider";
import type { Labels, Ledger, ProviderContext } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";
import { below, VolumeRecords, type RecordCall } from "./volume-records.ts";

/** Lease, intents and history on the engine itself: `VolumeRecords` that everybody who reaches the engine reads. */
export function volumeLedger(engine: EngineClient): Ledger {
  const records = new VolumeRecords(engine, "ledger");
  return {
    reach: "platform",

    create: (name, value, context, { isFirst = false } = {}) =>
      asked(name, async () => {
        checkRecordName(name);
        checkRecordValue(name, value);
        const version = await records.create(name, value, labelsOf(name), callOf(context), { isFirst });
        if (version === undefined) throw conflict(name, "exists already");
        return version;
      }),

    read: (name, context) =>
      asked(name, async () => {
        checkRecordName(name);
        const found = await records.read(name, context.signal);
        return found === undefined ? undefined : { value: found.value, version: found.version };
      }),

    list: (prefix, context) =>
      asked(prefix, async () => {
        checkRecordPrefix(prefix);
        const end = prefix.lastIndexOf("/");
        const folders = end === -1 ? [] : [below(prefix.slice(0, end))];
        const found = await records.list(folders, context.signal);
        return found.map((each) => each.name).filter((name) => name.startsWith(prefix));
      }),

    swap: (name, value, version, context) =>
      asked(name, async () => {
        checkRecordName(name);
        checkRecordValue(name, value);
        const next = await records.swap(name, value, version, labelsOf(name), callOf(context));
        if (next === undefined) throw conflict(name, "was changed by others meanwhile");
        return next;
      }),

    remove: (name, version, context) =>
      asked(name, async () => {
        checkRecordName(name);
        if (!(await records.remove(name, version, callOf(context))))
          throw conflict(name, "was changed by others meanwhile");
      }),
  };
}

function asked<T>(name: string, work: () => Promise<T>): Promise<T> {
  return mappedEngine(`the ledger (${name})`, work);
}

/** The fence is asked right before each write, as for all else; that of a context in which the lease itself is written lets everything pass. */
function callOf({ fence, signal }: ProviderContext): RecordCall {
  return { signal, check: () => fence.check() };
}

/** So that a search by label finds what is kept of a stack. */
function labelsOf(name: string): Labels {
  const stack = /(?:^|\/)stacks\/([^/]+)\//.exec(name)?.[1];
  return stack === undefined ? {} : { [label.stack]: stack };
}

function conflict(name: string, what: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `the record ${name} ${what}`, { target: name });
}
