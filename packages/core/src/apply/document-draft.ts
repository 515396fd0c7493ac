import { instanceLabels } from "../model/labels.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { Release } from "../model/release.ts";
import { entryKey } from "../state/entry-key.ts";
import type { StateDocument, StateEntry, StateStore } from "../state/store.ts";

/** The state document as a change leaves it; written once, at its end. The ledger is the truth until then. */
export class DocumentDraft {
  readonly #before: StateDocument | undefined;
  readonly #lineage: string;
  readonly #entries: Record<string, StateEntry>;
  #isChanged: boolean;
  #lastChange: number | undefined;

  constructor(before: StateDocument | undefined, lineage: string) {
    this.#before = before;
    this.#lineage = lineage;
    this.#entries = { ...before?.entries };
    this.#lastChange = before?.lastChange;
    this.#isChanged = before === undefined || before.lineage !== lineage;
  }

  /** This change was recorded. */
  changed(number: number): void {
    if (number === this.#lastChange) return;
    this.#lastChange = number;
    this.#isChanged = true;
  }

  /** A release serves. */
  serves(release: Release): void {
    const { instance, spec } = release;
    const key = this.#key(instance);
    const { destroyed: _, ...before } = this.#entries[key] ?? { provider: instance.provider };
    const replicas = spec.scale.replicas;
    this.#set(key, {
      ...before,
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

  /** Writes what has changed; nothing where nothing has. */
  async write(store: StateStore, stack: string): Promise<void> {
    if (this.#isChanged) await this.replace(store, stack);
  }

  /** Writes it whatever it was. */
  async replace(store: StateStore, stack: string): Promise<StateDocument> {
    const serial = (this.#before?.serial ?? 0) + 1;
    const change = this.#lastChange === undefined ? {} : { lastChange: this.#lastChange };
    const document: StateDocument = { serial, lineage: this.#lineage, entries: this.#entries, ...change };
    await store.write(stack, document, this.#before?.serial);
    return document;
  }

  #set(key: string, entry: StateEntry): void {
    if (JSON.stringify(this.#entries[key]) === JSON.stringify(entry)) return;
    this.#entries[key] = entry;
    this.#isChanged = true;
  }

  /** The plain key, unless another provider's living instance of the service has it. */
  #key(instance: InstanceIdentity): string {
    const plain = entryKey(instance);
    const holder = this.#entries[plain];
    const own = `${plain}@${instance.provider}`;
    if (this.#entries[own] !== undefined) return own;
    const isOther = holder?.provider !== instance.provider && holder?.platformId !== instance.platformId;
    const isTaken = holder !== undefined && holder.destroyed !== true && isOther;
    return isTaken ? own : plain;
  }
}
