import type { StoredRecord } from "./volume-records.ts";

/** One record as the holder of a lease read or wrote it last: nobody else writes it while the lease holds, so it is read once. */
export class KnownRecord {
  #seen: { readonly record: StoredRecord | undefined } | undefined;
  /** Begun and ended ones: an answer that crossed one may be older than what was written. */
  #writes = 0;

  async read(ask: () => Promise<StoredRecord | undefined>): Promise<StoredRecord | undefined> {
    if (this.#seen !== undefined) return this.#seen.record;
    const writes = this.#writes;
    const record = await ask();
    if (this.#writes === writes) this.#seen = { record };
    return record;
  }

  /** `act` resolves with what the record is now; undefined where another writer came first. Of one that throws it is not known whether it took place. */
  async write(act: () => Promise<StoredRecord | undefined>): Promise<StoredRecord | undefined> {
    this.#forget();
    try {
      const record = await act();
      this.#forget();
      if (record !== undefined) this.#seen = { record };
      return record;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#seen = undefined;
    this.#writes += 1;
  }
}
