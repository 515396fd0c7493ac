import { CtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger, LedgerRecord } from "../provider/ledger.ts";
import { checkRecordName, checkRecordPrefix, checkRecordValue } from "./ledger-limits.ts";

/** A ledger that lasts as long as this object: for tests, and for programs whose platforms have none. */
export function memoryLedger(): Ledger {
  const records = new Map<string, LedgerRecord>();
  let writes = 0;
  const put = (name: string, value: string): string => {
    writes += 1;
    records.set(name, { value, version: String(writes) });
    return String(writes);
  };
  return {
    reach: "machine",
    async create(name, value, context) {
      await checkWrite(name, value, context);
      if (records.has(name)) throw conflict(name, "exists already");
      return put(name, value);
    },
    async read(name) {
      checkRecordName(name);
      return records.get(name);
    },
    async list(prefix) {
      checkRecordPrefix(prefix);
      return [...records.keys()].filter((name) => name.startsWith(prefix)).sort((a, b) => (a < b ? -1 : 1));
    },
    async swap(name, value, version, context) {
      await checkWrite(name, value, context);
      if (records.get(name)?.version !== version) throw conflict(name, "was changed by somebody else");
      return put(name, value);
    },
    async remove(name, version, context) {
      await checkWrite(name, "", context);
      const found = records.get(name);
      if (found === undefined) return;
      if (version !== undefined && found.version !== version) throw conflict(name, "was changed by somebody else");
      records.delete(name);
    },
  };
}

async function checkWrite(name: string, value: string, context: ProviderContext): Promise<void> {
  checkRecordName(name);
  checkRecordValue(name, value);
  await context.fence.check();
}

function conflict(name: string, what: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `the record ${name} ${what}`, { target: name });
}
