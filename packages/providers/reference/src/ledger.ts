import type { Ledger, LedgerRecord } from "@ctrlplane/core/provider";
import type { Client } from "./client.ts";

/** Records in the platform's one process, which takes one call at a time: linearizable. */
export function createLedger(client: Client): Ledger {
  // The answers are of the types that `platform/ledger.ts` gives.
  return {
    reach: "platform",
    create: async (name, value, context) => (await client.call("ledger.create", { name, value }, context)) as string,
    read: async (name, context) =>
      ((await client.call("ledger.read", { name }, context)) ?? undefined) as LedgerRecord | undefined,
    list: async (prefix, context) => (await client.call("ledger.list", { prefix }, context)) as readonly string[],
    swap: async (name, value, version, context) =>
      (await client.call("ledger.swap", { name, value, version }, context)) as string,
    remove: async (name, version, context) => {
      await client.call("ledger.remove", { name, ...(version === undefined ? {} : { version }) }, context);
    },
  };
}
