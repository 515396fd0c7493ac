import { memoryLedger } from "./memory-ledger.ts";
import { ledgerBehaviours } from "./testing/ledger-behaviours.ts";

ledgerBehaviours("memoryLedger", async () => {
  const ledger = memoryLedger();
  return { one: ledger, other: ledger, end: async () => undefined };
});
