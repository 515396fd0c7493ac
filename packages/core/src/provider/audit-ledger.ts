import type { Ledger } from "./ledger.ts";

/** The ledger, with the name of each call told first: `ledger.read`. */
export function auditLedger(ledger: Ledger, audit: (call: string) => void): Ledger {
  const told = <Args extends unknown[], Result>(name: keyof Ledger, call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      audit(`ledger.${name}`);
      return call(...args);
    };
  };
  return {
    reach: ledger.reach,
    create: told("create", (...of: Parameters<Ledger["create"]>) => ledger.create(...of)),
    read: told("read", (...of: Parameters<Ledger["read"]>) => ledger.read(...of)),
    list: told("list", (...of: Parameters<Ledger["list"]>) => ledger.list(...of)),
    swap: told("swap", (...of: Parameters<Ledger["swap"]>) => ledger.swap(...of)),
    remove: told("remove", (...of: Parameters<Ledger["remove"]>) => ledger.remove(...of)),
  };
}
