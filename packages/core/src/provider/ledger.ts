import type { ProviderContext } from "./context.ts";

/** A record and the version that a `swap` must name. */
export interface LedgerRecord {
  readonly value: string;
  /** Opaque; changes with every write. */
  readonly version: string;
}

/**
 * Named records on a platform, so that lease, intents and history lie beside what they govern. Names are slash-separated words
 * of `[A-Za-z0-9._-]`, at most 200 characters; values are text of at most 256 KiB. Every method is atomic and
 * linearizable, also against other processes and machines.
 */
export interface Ledger {
  /** Throws `CONFLICT` where the name exists. Returns the version. */
  create(name: string, value: string, context: ProviderContext, options?: CreateRecordOptions): Promise<string>;
  read(name: string, context: ProviderContext): Promise<LedgerRecord | undefined>;
  /** Names that start with `prefix`, sorted by code unit. */
  list(prefix: string, context: ProviderContext): Promise<readonly string[]>;
  /** Replaces the value if its version is still `version`, else throws `CONFLICT`. Returns the new version. */
  swap(name: string, value: string, version: string, context: ProviderContext): Promise<string>;
  /** Absent is success. With `version`, throws `CONFLICT` where it is another. */
  remove(name: string, version: string | undefined, context: ProviderContext): Promise<void>;
  /** Who can read it: every user of the platform, or programs of this machine alone. `doctor` and docs say so. */
  readonly reach: "platform" | "machine";
}

export interface CreateRecordOptions {
  /**
   * There is no later version of it: nobody ever swaps a record of this name, or the caller holds the lease under which it is written, and
   * saw that it is not there. A platform may leave out what it does for the sake of later versions. Default false.
   */
  readonly isFirst?: boolean;
}
