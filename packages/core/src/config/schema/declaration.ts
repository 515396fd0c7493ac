import type { FieldPath } from "../field-path.ts";
import type { Problems } from "../problems.ts";
import { isContainer, isTree, setAt, valueAt } from "../tree.ts";
import type { Tree } from "../tree.ts";
import { explain } from "./explain.ts";
import { partialStack, stack } from "./stack.ts";
import type { DeclaredStack } from "./stack.ts";

/** A process reads one declaration: to compile code for it takes longer than to read it. */
const once = { jitless: true };

/** Reports what is wrong with a declaration, and reads all the rest of it. */
export function readDeclaration(root: Tree, problems: Problems): DeclaredStack | undefined {
  const read = stack.safeParse(root, once);
  if (read.success) return read.data;
  const found = explain(read.error.issues, stack, root);
  for (const { path, problem } of found) if (problem !== undefined) problems.add(path, problem);
  return readRest(
    root,
    found.map(({ lost }) => lost),
  );
}

/** Later problems only follow from what is lost: nobody is told of them. */
function readRest(root: Tree, lost: readonly FieldPath[]): DeclaredStack | undefined {
  const rest = copy(root);
  for (let next = lost; next.length > 0;) {
    if (next.some((path) => path.length === 0)) return undefined;
    drop(rest, next);
    const read = partialStack.safeParse(rest, once);
    if (read.success) return read.data;
    next = explain(read.error.issues, partialStack, rest).map((each) => each.lost);
  }
  return undefined;
}

/** Takes away the values first and then, where that is not enough, the keys: a field without a value was declared. */
function drop(root: Tree, paths: readonly FieldPath[]): void {
  const lists = new Set<unknown[]>();
  for (const path of paths) {
    const key = path.at(-1) ?? "";
    const container = path
      .slice(0, -1)
      .reduce<unknown>((value, part) => (isContainer(value) ? valueAt(value, part) : undefined), root);
    if (Array.isArray(container)) lists.add(container);
    if (!isContainer(container)) continue;
    if (isTree(container) && container[key] === undefined) delete container[key];
    else setAt(container, key, undefined);
  }
  for (const list of lists) list.splice(0, list.length, ...list.filter((each) => each !== undefined));
}

function copy(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, copyValue(value)]));
}

function copyValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyValue);
  return isTree(value) && isPlain(value) ? copy(value) : value;
}

/** Plugins may leave objects of a class in options. */
function isPlain(value: Tree): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
