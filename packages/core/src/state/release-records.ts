import type { Release } from "../model/release.ts";
import type { ProviderContext, Sealer } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import { createLong, readLong, removeLong } from "./long-record.ts";
import { word } from "./record-names.ts";
import type { RecordNames } from "./record-names.ts";
import { readRecord, writeRecord } from "./record-text.ts";
import { openRelease, sealRelease } from "./sealed-release.ts";
import type { OpenedRelease, SealedRelease } from "./sealed-release.ts";

/** Which releases there are, of all services of a stack. */
export interface ReleaseNumbers {
  /** Ascending; empty where there are none. */
  of(service: string): readonly number[];
}

/** Releases: immutable, sealed, numbered for each service. */
export class ReleaseRecords {
  readonly #ledger: Ledger;
  readonly #names: RecordNames;
  readonly #sealer: Sealer;

  constructor(ledger: Ledger, names: RecordNames, sealer: Sealer) {
    this.#ledger = ledger;
    this.#names = names;
    this.#sealer = sealer;
  }

  async write(release: Release, context: ProviderContext): Promise<void> {
    const { service } = release.instance;
    const name = this.#names.release(service, release.number);
    const text = writeRecord("release", sealRelease(release, this.#sealer));
    await context.fence.check();
    try {
      await createLong(this.#ledger, name, text, this.#names.part, context);
    } catch (error) {
      if (!(await isConflict(error, context)) || (await this.#stored(name, context))?.release.id !== release.id)
        throw error;
    }
  }

  async read(service: string, number: number, context: ProviderContext): Promise<OpenedRelease | undefined> {
    const stored = await this.#stored(this.#names.release(service, number), context);
    return stored === undefined ? undefined : openRelease(stored, this.#sealer);
  }

  async numbers(service: string, context: ProviderContext): Promise<readonly number[]> {
    const prefix = this.#names.releases(service);
    return (await this.#ledger.list(prefix, context)).map((name) => Number(name.slice(prefix.length)));
  }

  async allNumbers(context: ProviderContext): Promise<ReleaseNumbers> {
    const prefix = this.#names.allReleases;
    const found = new Map<string, number[]>();
    for (const name of await this.#ledger.list(prefix, context)) {
      const [service = "", digits] = name.slice(prefix.length).split("/");
      const numbers = found.get(service);
      if (numbers === undefined) found.set(service, [Number(digits)]);
      else numbers.push(Number(digits));
    }
    return { of: (service) => found.get(word(service)) ?? [] };
  }

  async prune(service: string, keep: readonly number[], context: ProviderContext): Promise<void> {
    for (const number of await this.numbers(service, context)) {
      if (keep.includes(number)) continue;
      await context.fence.check();
      await removeLong(this.#ledger, this.#names.release(service, number), context);
    }
  }

  async #stored(name: string, context: ProviderContext): Promise<SealedRelease | undefined> {
    const text = await readLong(this.#ledger, name, context);
    return text === undefined
      ? undefined
      : readRecord<SealedRelease>("release", text, name, { release: "object", sealed: "string" });
  }
}
