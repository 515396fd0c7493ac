import type { Ledger } from "./ledger.ts";
import { toProviderError, type ErrorOrigin } from "./redact-error.ts";

/** A ledger whose errors are mapped like all others of its provider. */
export function guardLedger(ledger: Ledger, origin: ErrorOrigin): Ledger {
  const mapped = async <Result>(call: Promise<Result>): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      throw toProviderError(error, origin);
    }
  };
  return {
    reach: ledger.reach,
    create: (...of) => mapped(ledger.create(...of)),
    read: (...of) => mapped(ledger.read(...of)),
    list: (...of) => mapped(ledger.list(...of)),
    swap: (...of) => mapped(ledger.swap(...of)),
    remove: (...of) => mapped(ledger.remove(...of)),
  };
}
