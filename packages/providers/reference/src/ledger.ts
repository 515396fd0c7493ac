import {
  checkRecordName,
  checkRecordPrefix,
  checkRecordValue,
  type Ledger,
  type LedgerRecord,
} from "@ctrlplane/core/provider";
import type { Client } from "./client.ts";

/** Records in the platform's one process, which takes one call at a time: linearizable. */
export function createLedger(client: Client): Ledger {
  // The answers are of the types that `platform/ledger.ts` gives.
  return {
    reach: "platform",
    async create(name, value, context) {
      checkRecordName(name);
      checkRecordValue(name, value);
      return (await client.call("ledger.create", { name, value }, context)) as string;
    },
    async read(name, context) {
      checkRecordName(name);
      return ((await client.call("ledger.read", { name }, context)) ?? undefined) as LedgerRecord | undefined;
    },
    async list(prefix, context) {
      checkRecordPrefix(prefix);
      return (await client.call("ledger.list", { prefix }, context)) as readonly string[];
    },
    async swap(name, value, version, context) {
      checkRecordName(name);
      checkRecordValue(name, value);
      return (await client.call("ledger.swap", { name, value, version }, context)) as string;
    },
    async remove(name, version, context) {
      checkRecordName(name);
      await client.call("ledger.remove", { name, ...(version === undefined ? {} : { version }) }, context);
    },
  };
}
