/** Work under one key follows each other, in the order in which it came; under different keys nothing waits. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Settles as `work` does. Who comes next does not depend on its failure. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return turn;
  }

  /** Resolves when what was asked for under the key so far is done. */
  async idle(key: string): Promise<void> {
    await this.#last.get(key);
  }
}
