import type { InstanceIdentity } from "@ctrlplane/core/provider";

/** A replica as this process came to know it. */
interface SeenReplica {
  readonly instance: InstanceIdentity;
  readonly isMade: boolean;
  readonly isDirect: boolean;
}

/** What this process saw and made of the containers on one engine, and need not ask for again. */
export class SeenContainers {
  readonly #replicas = new Map<string, SeenReplica>();
  /** Instances that have but the container that was made last, under its name. */
  readonly #single = new Set<string>();

  listed(instance: InstanceIdentity, ids: readonly string[]): void {
    for (const id of ids)
      this.#replicas.set(id, { isMade: false, isDirect: false, ...this.#replicas.get(id), instance });
  }

  /** `isDirect`: it publishes its ports itself. `isOnly`: it is all that its instance has, and bears the name that it keeps. */
  made(
    instance: InstanceIdentity,
    id: string,
    { isDirect, isOnly }: { readonly isDirect: boolean; readonly isOnly: boolean },
  ): void {
    this.#replicas.set(id, { instance, isMade: true, isDirect });
    if (isOnly) this.#single.add(instance.name);
    else this.#single.delete(instance.name);
  }

  /** Throws for one that was neither listed nor made. */
  instanceOf({ id, name }: { readonly id: string; readonly name: string }): InstanceIdentity {
    const found = this.#replicas.get(id);
    if (found === undefined) throw new Error(`${name} was never listed`);
    return found.instance;
  }

  /** This process made it. */
  isMade(id: string): boolean {
    return this.#replicas.get(id)?.isMade === true;
  }

  /** This process made it, and so that it publishes its ports itself. */
  isDirect(id: string): boolean {
    return this.#replicas.get(id)?.isDirect === true;
  }

  /** True once: whoever asks is about to make or to rename some. */
  takeSingle({ name }: InstanceIdentity): boolean {
    return this.#single.delete(name);
  }
}
