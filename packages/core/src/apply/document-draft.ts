import { isCtrlPlaneError } from "../errors/error.ts";
import { instanceLabels } from "../model/labels.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { Release } from "../model/release.ts";
import type { Stack } from "../model/stack.ts";
import { placeOf, recordedProvider, withoutPlace } from "../platforms/recorded-providers.ts";
import { entryKey, entryName } from "../state/entry-key.ts";
import type { StateDocument, StateEntry, StateStore } from "../state/store.ts";

/** How often a document that others wrote meanwhile is read again. */
const attempts = 3;

/** The state document as a change leaves it; written at its end, and before it where it goes to a new provider. The ledger is the truth until then. */
export class DocumentDraft {
  readonly lineage: string;
  readonly #stack: Stack;
  /** What this change has set. */
  readonly #own: Record<string, StateEntry> = {};
  #before: StateDocument | undefined;
  #entries: Record<string, StateEntry>;
  #pending: readonly string[];
  #isChanged: boolean;
  #lastChange: number | undefined;

  constructor(before: StateDocument | undefined, lineage: string, stack: Stack) {
    this.#before = before;
    this.#stack = stack;
    this.lineage = lineage;
    this.#entries = { ...before?.entries };
    this.#pending = before?.pending ?? [];
    this.#lastChange = before?.lastChange;
    this.#isChanged = before === undefined || before.lineage !== lineage;
  }

  /** This change was recorded. */
  changed(number: number): void {
    if (number === this.#lastChange) return;
    this.#lastChange = number;
    this.#isChanged = true;
  }

  /**
   * A change is about to use these providers. Those that no entry names are written down before that: should it be killed, the next
   * one looks there, whatever is declared by then.
   */
  async begins(providers: Iterable<string>, store: StateStore, stack: string): Promise<void> {
    const living = Object.entries(this.#entries).filter(([, entry]) => entry.destroyed !== true);
    const named = new Set([...living.map(([key, entry]) => this.#providerOf(key, entry)), ...this.#pending]);
    const added = [...new Set(providers)].filter((name) => !named.has(name));
    if (added.length === 0) return;
    this.#pending = [...this.#pending, ...added].sort();
    this.#isChanged = true;
    await this.write(store, stack);
    this.#isChanged = true;
  }

  /** Providers that a change began to use, and whose end is not on record. */
  get pending(): readonly string[] {
    return this.#pending;
  }

  /** Names of the instances that are on a provider by its entries. */
  namesOn(provider: string): ReadonlySet<string> {
    const own = Object.entries(this.#entries).filter(
      ([key, entry]) => this.#providerOf(key, entry) === provider && entry.destroyed !== true,
    );
    return new Set(own.map(([key]) => entryName(key)));
  }

  /** Nothing is there any more but what an entry names. */
  ended(providers: Iterable<string>): void {
    const ended = new Set(providers);
    const pending = this.#pending.filter((name) => !ended.has(name));
    if (pending.length === this.#pending.length) return;
    this.#pending = pending;
    this.#isChanged = true;
  }

  /** A release serves. */
  serves(release: Release): void {
    const { instance, spec } = release;
    const key = this.#key(instance);
    const {
      destroyed: _,
      isForgotten: __,
      ...before
    } = withoutPlace(this.#entries[key] ?? { provider: instance.provider });
    const replicas = spec.scale.replicas;
    this.#set(key, {
      ...before,
      ...placeOf(this.#stack.providers[instance.provider]?.options ?? {}),
      provider: instance.provider,
      image: release.image.reference ?? release.image.declared,
      labels: instanceLabels(instance),
      ...(release.fingerprint === undefined ? {} : { fingerprint: release.fingerprint }),
      hasPorts: spec.ports.length > 0,
      replica: typeof replicas === "number" ? replicas : replicas.max,
      instance: instance.id,
      platformId: instance.platformId,
      release: release.number,
      specHash: release.specHash,
      hasVolumes: spec.volumes.length > 0,
      protect: spec.protect,
    });
  }

  /** It was removed: its entry stays, marked, as history. */
  removed(instance: InstanceIdentity): void {
    const key = this.#key(instance);
    const before = this.#entries[key];
    if (before !== undefined) this.#set(key, { ...before, destroyed: true });
  }

  /** Of one that was removed its releases are not on record any more. */
  forgotten(instance: InstanceIdentity): void {
    const key = this.#key(instance);
    const before = this.#entries[key];
    if (before?.destroyed === true) this.#set(key, { ...before, isForgotten: true });
  }

  /** Writes what has changed; nothing where nothing has. What others wrote meanwhile (a rebuild needs no lease) stays, but for what this change set. */
  async write(store: StateStore, stack: string): Promise<void> {
    if (!this.#isChanged) return;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.replace(store, stack);
        return;
      } catch (error) {
        if (!isCtrlPlaneError(error) || error.code !== "CONFLICT" || attempt === attempts) throw error;
        this.#rebase(await store.read(stack));
      }
    }
  }

  #rebase(now: StateDocument | undefined): void {
    this.#entries = now === undefined ? this.#entries : { ...now.entries, ...this.#own };
    this.#pending = [...new Set([...this.#pending, ...(now?.pending ?? [])])].sort();
    this.#before = now;
    this.#lastChange = Math.max(this.#lastChange ?? 0, now?.lastChange ?? 0);
  }

  /** Writes it whatever it was. */
  async replace(store: StateStore, stack: string): Promise<StateDocument> {
    const serial = (this.#before?.serial ?? 0) + 1;
    const change = this.#lastChange === undefined ? {} : { lastChange: this.#lastChange };
    const pending = this.#pending.length === 0 ? {} : { pending: this.#pending };
    const document: StateDocument = { serial, lineage: this.lineage, entries: this.#entries, ...change, ...pending };
    await store.write(stack, document, this.#before?.serial);
    this.#before = document;
    return document;
  }

  #set(key: string, entry: StateEntry): void {
    if (JSON.stringify(this.#entries[key]) === JSON.stringify(entry)) return;
    this.#entries[key] = entry;
    this.#own[key] = entry;
    this.#isChanged = true;
  }

  /** The plain key, unless another provider's living instance of the service has it. */
  #key(instance: InstanceIdentity): string {
    const plain = entryKey(instance);
    const holder = this.#entries[plain];
    const own = `${plain}@${instance.provider}`;
    if (this.#entries[own] !== undefined) return own;
    if (holder === undefined || holder.destroyed === true) return plain;
    const isOther = this.#providerOf(plain, holder) !== instance.provider && holder.platformId !== instance.platformId;
    return isOther ? own : plain;
  }

  #providerOf(key: string, entry: StateEntry): string {
    return recordedProvider(key, entry, this.#stack).name;
  }
}
