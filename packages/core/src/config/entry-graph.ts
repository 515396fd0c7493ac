import { mayHoldExpression } from "./expression.ts";
import { formatPath } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import type { Problems } from "./problems.ts";
import { isContainer, keysOf, unresolved, valueAt } from "./tree.ts";
import type { Container } from "./tree.ts";

/** One entry whose text holds expressions, while and after it is resolved. */
export interface Entry {
  readonly path: FieldPath;
  readonly container: Container;
  readonly key: string | number;
  done: Promise<void>;
  /** The entry that this one waits for now. It is one at a time, so that a cycle is found by following it. */
  waitsFor?: Entry | undefined;
}

/** Which entry waits for which: each is resolved once, when first asked for, and a circle of them is a problem. */
export class EntryGraph {
  readonly #problems: Problems;
  readonly #resolve: (entry: Entry) => Promise<void>;
  readonly #entries = new WeakMap<Container, Map<string, Entry>>();

  constructor(problems: Problems, resolve: (entry: Entry) => Promise<void>) {
    this.#problems = problems;
    this.#resolve = resolve;
  }

  /** `asker` waits from the first moment on: the new entry may come back to it before it ever yields. */
  entry(container: Container, key: string | number, path: FieldPath, asker?: Entry): Entry {
    let entries = this.#entries.get(container);
    if (entries === undefined) this.#entries.set(container, (entries = new Map<string, Entry>()));
    const known = entries.get(String(key));
    if (known !== undefined) return known;
    const entry: Entry = { path, container, key, done: Promise.resolve() };
    entries.set(String(key), entry);
    if (asker !== undefined) asker.waitsFor = entry;
    entry.done = this.#resolve(entry);
    if (asker !== undefined) asker.waitsFor = undefined;
    return entry;
  }

  /** False where the other entry could not be resolved, or waits for this one in turn. */
  async waitFor(container: Container, key: string | number, path: FieldPath, entry: Entry): Promise<boolean> {
    const value = valueAt(container, key);
    const known = this.#entries.get(container)?.get(String(key));
    if (known === undefined && !(typeof value === "string" && mayHoldExpression(value))) return value !== unresolved;
    if (container === entry.container && String(key) === String(entry.key))
      return this.#cycle([entry.path, entry.path], entry);
    const other = known ?? this.entry(container, key, path, entry);
    const chain = [entry.path];
    for (let each: Entry | undefined = other; each !== undefined; each = each.waitsFor) {
      chain.push(each.path);
      if (each === entry) return this.#cycle(chain, entry);
    }
    entry.waitsFor = other;
    await other.done;
    entry.waitsFor = undefined;
    return valueAt(container, key) !== unresolved;
  }

  /** Everything below `container`; false as soon as one of it could not be resolved. */
  async waitForAll(container: Container, path: FieldPath, entry: Entry): Promise<boolean> {
    for (const key of keysOf(container)) {
      if (!(await this.waitFor(container, key, [...path, key], entry))) return false;
      const value = valueAt(container, key);
      if (isContainer(value) && !(await this.waitForAll(value, [...path, key], entry))) return false;
    }
    return true;
  }

  #cycle(chain: readonly FieldPath[], entry: Entry): false {
    const names = chain.map(formatPath).join(" → ");
    this.#problems.add(entry.path, {
      code: "cycle",
      summary: `this value depends on itself: ${names}`,
      hint: "Break the circle of ${self:…}.",
    });
    return false;
  }
}
