import type { Fence, InstanceIdentity } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { KnownRecord } from "./known-record.ts";

/** What one look at an engine showed. */
export interface Look {
  /** Instances that it was about. */
  readonly names: readonly string[];
  /** Those of them that have a record, or containers. */
  readonly present: { has(name: string): boolean };
  /** Those that have volumes of their own. */
  readonly owners: { has(name: string): boolean };
  /** Stacks with records in the ledger here. */
  readonly stacks: Iterable<string>;
}

/**
 * What the holder of a lease knows of its instances on one engine, and need not ask for again: while the lease holds nobody else
 * makes or changes any.
 */
export class LeaseSight {
  /** Networks that were looked for, or made: two services of a stack need one. False: in vain. */
  readonly networks = new Map<string, Promise<boolean>>();
  readonly #records = new Map<string, KnownRecord>();
  readonly #new = new Set<string>();
  readonly #bare = new Set<string>();
  readonly #begun = new Map<string, InstanceIdentity>();
  readonly #volumeless = new Set<string>();
  #stacks: ReadonlySet<string> = new Set();

  record(name: string): KnownRecord {
    const known = this.#records.get(name) ?? new KnownRecord();
    this.#records.set(name, known);
    return known;
  }

  saw({ names, present, owners, stacks }: Look): void {
    for (const name of names) {
      if (present.has(name)) this.#forgetNone(name);
      else this.sawNone(name);
      if (owners.has(name)) this.#volumeless.delete(name);
      else this.#volumeless.add(name);
    }
    this.#stacks = new Set(stacks);
  }

  /** It has neither a record nor a container. */
  sawNone(name: string): void {
    this.#new.add(name);
    this.#bare.add(name);
  }

  #forgetNone(name: string): void {
    this.#new.delete(name);
    this.#bare.delete(name);
  }

  /** There was nothing of it under this lease but what its holder made. */
  isNew(name: string): boolean {
    return this.#new.has(name);
  }

  /** It has no container. */
  isBare(name: string): boolean {
    return this.#bare.has(name);
  }

  /** Its first deployment is under way, by the holder of this lease, and it has no record yet. */
  begins(instance: InstanceIdentity): void {
    this.#begun.set(instance.name, instance);
  }

  begun(name: string): InstanceIdentity | undefined {
    return this.#begun.get(name);
  }

  /** Nothing of it is left. */
  ends(name: string): void {
    this.#begun.delete(name);
  }

  /** A container of it is about to be made. */
  makesContainer(name: string): void {
    this.#bare.delete(name);
  }

  hasVolumes(name: string): boolean {
    return !this.#volumeless.has(name);
  }

  /** A volume of its own is about to be made. */
  makesVolume(name: string): void {
    this.#volumeless.delete(name);
  }

  hasLedger(stack: string): boolean {
    return this.#stacks.has(stack);
  }
}

const sights = new WeakMap<EngineClient, WeakMap<Fence, LeaseSight>>();

/** The same for as long as somebody has the lease. Without a lease nothing is kept. */
export function sightOf(engine: EngineClient, fence: Fence): LeaseSight {
  const own = sights.get(engine) ?? new WeakMap<Fence, LeaseSight>();
  sights.set(engine, own);
  const sight = own.get(fence) ?? new LeaseSight();
  if (fence.epoch > 0) own.set(fence, sight);
  return sight;
}
