import type { Ledger } from "../provider/ledger.ts";

type Call = "create" | "read" | "list" | "swap" | "remove";

export interface CountingLedger extends Ledger {
  /** Calls so far, by kind, those that failed included. */
  readonly calls: Readonly<Record<Call, number>>;
}

/** The same ledger, and how often it was asked; for tests and benches. */
export function countingLedger(ledger: Ledger): CountingLedger {
  const calls: Record<Call, number> = { create: 0, read: 0, list: 0, swap: 0, remove: 0 };
  const counted = <T>(call: Call, result: () => Promise<T>): Promise<T> => {
    calls[call] += 1;
    return result();
  };
  return {
    calls,
    reach: ledger.reach,
    create: (...of) => counted("create", () => ledger.create(...of)),
    read: (name, context) => counted("read", () => ledger.read(name, context)),
    list: (prefix, context) => counted("list", () => ledger.list(prefix, context)),
    swap: (name, value, version, context) => counted("swap", () => ledger.swap(name, value, version, context)),
    remove: (name, version, context) => counted("remove", () => ledger.remove(name, version, context)),
  };
}
