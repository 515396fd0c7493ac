import type { Ledger, Provider } from "@ctrlplane/core/provider";

export interface WatchedLedger {
  /** The same provider over the watched ledger. */
  readonly provider: Provider;
  /** Calls since `reset`, and the sum of the time of each. */
  readonly seen: () => { readonly ledgerCalls: number; readonly ledgerMs: number };
  readonly reset: () => void;
}

/** Counts and times the calls that really reach a provider's ledger. Throws where it has none. */
export function watchLedger(provider: Provider): WatchedLedger {
  const { ledger } = provider;
  if (ledger === undefined) throw new Error(`${provider.type} has no ledger`);
  let ledgerCalls = 0;
  let ledgerMs = 0;
  const timed = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    const startedAt = performance.now();
    ledgerCalls += 1;
    try {
      return await call();
    } finally {
      ledgerMs += performance.now() - startedAt;
    }
  };
  const watched: Ledger = {
    reach: ledger.reach,
    create: (...of) => timed(() => ledger.create(...of)),
    read: (...of) => timed(() => ledger.read(...of)),
    list: (...of) => timed(() => ledger.list(...of)),
    swap: (...of) => timed(() => ledger.swap(...of)),
    remove: (...of) => timed(() => ledger.remove(...of)),
  };
  return {
    provider: { ...provider, ledger: watched },
    seen: () => ({ ledgerCalls, ledgerMs }),
    reset: () => {
      ledgerCalls = 0;
      ledgerMs = 0;
    },
  };
}
