import type { FieldPath } from "./field-path.ts";
import type { Span } from "./source-text.ts";

export type Tree = { [key: string]: unknown };
export type Container = Tree | unknown[];

/** Stands where an expression could not be resolved: the problem is told already, so nobody complains again. */
export const unresolved: unique symbol = Symbol("unresolved");

/** What is known of one entry of a map or list beside its value. */
export interface Mark {
  /** A scalar's with its quotes. */
  readonly value?: Span | undefined;
  readonly key?: Span | undefined;
  /** The value is written out here: no map, no list, no alias. */
  readonly isScalar?: boolean;
  /** In the file it is a number or boolean, whose source text is the value here. */
  readonly spelled?: "number" | "boolean" | undefined;
  /** Came by the merge key `<<`. */
  readonly merged?: boolean;
  /** Was not declared: a default that pctl 1.1 filled in. */
  readonly filled?: boolean;
  /** The value came, wholly or in part, from a secret resolver. */
  readonly secret?: boolean;
}

/**
 * Marks of a tree's entries, kept by the identity of the map or list that holds them, so that they survive merging
 * and what plugins do to the tree in place.
 */
export class Marks {
  readonly #marks = new WeakMap<object, Map<string, Mark>>();

  get(container: object, key: string | number): Mark | undefined {
    return this.#marks.get(container)?.get(String(key));
  }

  set(container: object, key: string | number, mark: Mark): void {
    let marks = this.#marks.get(container);
    if (marks === undefined) this.#marks.set(container, (marks = new Map<string, Mark>()));
    marks.set(String(key), mark);
  }

  update(container: object, key: string | number, change: Mark): void {
    this.set(container, key, { ...this.get(container, key), ...change });
  }

  /** Mark of the field, or of its nearest parent that has one. */
  nearest(root: Container, path: FieldPath): { readonly mark: Mark; readonly exact: boolean } | undefined {
    let container: unknown = root;
    let found: { mark: Mark; exact: boolean } | undefined;
    for (const [depth, key] of path.entries()) {
      if (!isContainer(container)) break;
      const mark = this.get(container, key);
      if (mark?.value !== undefined) found = { mark, exact: depth === path.length - 1 };
      container = valueAt(container, key);
    }
    return found;
  }
}

export function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

export function isContainer(value: unknown): value is Container {
  return value !== null && typeof value === "object";
}

/** Own entries only: a service may be called `constructor`. */
export function valueAt(container: Container, key: string | number): unknown {
  if (Array.isArray(container)) return /^\d+$/.test(String(key)) ? container[Number(key)] : undefined;
  return Object.hasOwn(container, key) ? container[String(key)] : undefined;
}

export function setAt(container: Container, key: string | number, value: unknown): void {
  if (Array.isArray(container)) container[Number(key)] = value;
  else container[String(key)] = value;
}

export function keysOf(container: Container): (string | number)[] {
  return Array.isArray(container) ? Array.from(container.keys()) : Object.keys(container);
}

export function treeAt(root: Container, ...path: FieldPath): Tree | undefined {
  let value: unknown = root;
  for (const key of path) value = isContainer(value) ? valueAt(value, key) : undefined;
  return isTree(value) ? value : undefined;
}

/** A copy that shares nothing with the original; of its marks only those that go with the values stay. */
export function cloneMarked(value: unknown, marks: Marks): unknown {
  if (!isContainer(value)) return value;
  const copy: Container = Array.isArray(value) ? [] : {};
  for (const [key, inner] of Object.entries(value)) {
    setAt(copy, key, cloneMarked(inner, marks));
    if (marks.get(value, key)?.secret === true) marks.set(copy, key, { secret: true });
  }
  return copy;
}
