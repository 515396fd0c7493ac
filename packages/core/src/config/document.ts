import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit } from "yaml";
import type { Alias, Document, Node, Pair, ParsedNode, YAMLError } from "yaml";
import type { SourceRange } from "../errors/diagnostic.ts";
import type { FieldPath } from "./field-path.ts";
import type { Problems } from "./problems.ts";
import { isTree } from "./tree.ts";
import type { Mark, Marks, Tree } from "./tree.ts";

/** More entries than any real declaration; anchors that multiply themselves end here. */
const mostEntries = 500_000;

/** Fields whose numbers and booleans keep their source text: `1.10` stays `1.10`. */
const textFields = [
  ["services", "*", "env", "*"],
  ["services", "*", "build", "args", "*"],
];

/** Reads YAML 1.2 (core schema) into plain data with marks. Undefined where a problem was found. */
export function readDocument(text: string, marks: Marks, problems: Problems): Tree | undefined {
  const lines = new LineCounter();
  const range = (from: number, to: number): SourceRange => {
    const [start, end] = [lines.linePos(from), lines.linePos(to)];
    return { start: { line: start.line, column: start.col }, end: { line: end.line, column: end.col } };
  };
  const parsed = parseAllDocuments(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
  });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  const [document, second] = documents;
  if (document === undefined || document.contents === null) {
    // An empty text has no document, a text of comments only has one without contents; both may carry an error.
    const [error] = document?.errors ?? [];
    if (error === undefined) problems.add([], { ...emptyFile, range: range(0, 0) });
    else problems.add([], { ...explainSyntax(error), range: range(...error.pos) });
    return undefined;
  }
  // One syntax error makes others follow from it: the first is the one to mend.
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) {
    problems.add([], { ...explainSyntax(error), range: range(...error.pos) });
    return undefined;
  }
  if (second !== undefined) {
    const at = second.range[0];
    problems.add([], {
      code: "several-documents",
      summary: "a second YAML document begins here (`---`); one file declares one stack",
      hint: "Put it into a file of its own.",
      range: range(at, at),
    });
    return undefined;
  }
  return new Conversion(document, text, range, marks, problems).run();
}

const emptyFile = {
  code: "empty-file",
  summary: "the file is empty",
  hint: "Begin with `name:` and `services:`; `pctl init` writes a first one.",
};

function explainSyntax(error: YAMLError): { code: string; summary: string; hint?: string } {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return {
        code: "tab",
        summary: "a tab indents this line; YAML allows only spaces there",
        hint: "Replace each tab by two spaces.",
      };
    case "TAG_RESOLVE_FAILED":
      return {
        code: "unknown-tag",
        summary: lowerFirst(error.message),
        hint: "Remove the tag; only those of YAML's core schema (!!str, !!int, …) are known.",
      };
    default:
      return {
        code: "not-yaml",
        summary: `this is not valid YAML: ${lowerFirst(error.message)}`,
        hint: "Look at the indentation, the colons and the quotes of this line and the one above.",
      };
  }
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

class Conversion {
  readonly #document: Document.Parsed;
  readonly #text: string;
  readonly #range: (from: number, to: number) => SourceRange;
  readonly #marks: Marks;
  readonly #problems: Problems;
  readonly #targets: ReadonlyMap<Alias, Node>;
  #entries = 0;
  /** Anchored nodes that are being converted: an alias to one of them has no end. */
  readonly #open = new Set<Node>();

  constructor(
    document: Document.Parsed,
    text: string,
    range: (from: number, to: number) => SourceRange,
    marks: Marks,
    problems: Problems,
  ) {
    this.#document = document;
    // Looking for anchors costs a walk through all nodes.
    this.#targets = text.includes("&") ? anchorTargets(document) : new Map<Alias, Node>();
    this.#text = text;
    this.#range = range;
    this.#marks = marks;
    this.#problems = problems;
  }

  run(): Tree | undefined {
    const before = this.#problems.count;
    const root = this.#convert(this.#document.contents, []);
    if (this.#problems.count > before) return undefined;
    if (isTree(root)) return root;
    this.#problems.add([], {
      code: "not-a-map",
      summary: "the file holds no map of keys and values",
      hint: "It begins with `name:` and `services:`; `pctl init` writes a first one.",
      range: this.#rangeOf(this.#document.contents),
    });
    return undefined;
  }

  #convert(node: unknown, path: FieldPath): unknown {
    if (this.#entries++ > mostEntries) return this.#tooLarge();
    if (isAlias(node)) return this.#follow(node, path);
    if (isScalar(node)) return this.#scalar(node, path);
    if (isSeq(node)) return this.#list(node.items, node, path);
    if (isMap(node)) return this.#map(node, path);
    return null;
  }

  #tooLarge(): undefined {
    if (this.#entries === mostEntries + 2) {
      this.#problems.add([], {
        code: "too-large",
        summary: `the declaration has more than ${mostEntries} entries once its anchors are expanded`,
      });
    }
    return undefined;
  }

  #follow(alias: Alias, path: FieldPath): unknown {
    const target = this.#targets.get(alias);
    const range = this.#rangeOf(alias);
    if (target === undefined) {
      const hint = "Define it above its first use: `key: &name value`.";
      this.#problems.add([], {
        code: "unknown-anchor",
        summary: `there is no anchor &${alias.source} above this alias`,
        hint,
        range,
      });
      return undefined;
    }
    if (this.#open.has(target)) {
      const summary = "this alias stands inside the anchor that it repeats";
      this.#problems.add([], { code: "anchor-cycle", summary, hint: "Move the anchor.", range });
      return undefined;
    }
    return this.#convert(target, path);
  }

  #scalar(node: { value: unknown; source?: string | undefined }, path: FieldPath): unknown {
    const { value, source } = node;
    if (typeof value === "bigint") return Number(value);
    if ((typeof value === "number" || typeof value === "boolean") && source !== undefined && keepsText(path))
      return source;
    return value;
  }

  #list(items: readonly unknown[], node: Node, path: FieldPath): unknown[] {
    const list: unknown[] = [];
    this.#within(node, () => {
      for (const [index, item] of items.entries()) {
        list.push(this.#convert(item, [...path, index]));
        this.#marks.set(list, index, this.#markOf(item, undefined, [...path, index]));
      }
    });
    return list;
  }

  #map(node: { items: readonly Pair[] } & Node, path: FieldPath): Tree {
    const map: Tree = {};
    const merges: Pair[] = [];
    this.#within(node, () => {
      for (const pair of node.items) {
        if (isMergeKey(pair.key)) merges.push(pair);
        else this.#entry(map, pair, path);
      }
      for (const pair of merges) this.#merge(map, pair, path);
    });
    return map;
  }

  #entry(map: Tree, pair: Pair, path: FieldPath): void {
    const keyNode = isAlias(pair.key) ? this.#targets.get(pair.key) : pair.key;
    const key = isScalar(keyNode) ? keyText(keyNode.value) : undefined;
    if (key === undefined || key === "__proto__") {
      const summary = key === undefined ? "a key must be a word, not a map or a list" : "`__proto__` cannot be a key";
      this.#problems.add([], { code: "bad-key", summary, range: this.#rangeOf(pair.key) });
      return;
    }
    if (Object.hasOwn(map, key)) {
      const first = this.#marks.get(map, key)?.key?.start.line ?? 0;
      const summary = `the key ${JSON.stringify(key)} stands here a second time, after line ${first}`;
      this.#problems.add([], {
        code: "duplicate-key",
        summary,
        hint: "Keep one of the two.",
        range: this.#rangeOf(pair.key),
      });
      return;
    }
    map[key] = this.#convert(pair.value, [...path, key]);
    this.#marks.set(map, key, this.#markOf(pair.value, this.#rangeOf(pair.key), [...path, key]));
  }

  /** `<<`: what the map has itself stays; of several sources the first wins. */
  #merge(map: Tree, pair: Pair, path: FieldPath): void {
    const value = isAlias(pair.value) ? this.#targets.get(pair.value) : pair.value;
    const sources = isSeq(value) ? value.items : [pair.value];
    for (const source of sources) {
      const merged = this.#convert(source, path);
      if (!isTree(merged)) {
        this.#problems.add([], {
          code: "bad-merge",
          summary: "`<<` merges a map or a list of maps",
          hint: "Write `<<: *anchor`.",
          range: this.#rangeOf(pair.key),
        });
        return;
      }
      for (const [key, inner] of Object.entries(merged)) {
        if (Object.hasOwn(map, key)) continue;
        map[key] = inner;
        this.#marks.set(map, key, { ...this.#marks.get(merged, key), merged: true });
      }
    }
  }

  #within(node: Node, work: () => void): void {
    this.#open.add(node);
    work();
    this.#open.delete(node);
  }

  #markOf(node: unknown, key: SourceRange | undefined, path: FieldPath): Mark {
    const value = this.#rangeOf(node) ?? key;
    const target = isAlias(node) ? this.#targets.get(node) : node;
    const spelled = isScalar(target) && keepsText(path) ? spelledAs(target.value) : undefined;
    const offset = isScalar(node) ? node.range?.[0] : undefined;
    return {
      ...(value === undefined ? {} : { value }),
      ...(key === undefined ? {} : { key }),
      ...(spelled === undefined ? {} : { spelled }),
      ...(offset === undefined || !isScalar(node) ? {} : { offset, source: this.#text.slice(offset, node.range?.[1]) }),
    };
  }

  #rangeOf(node: unknown): SourceRange | undefined {
    // The library types nodes of a parsed document as `unknown` here; each of them has its range.
    const range = (node as ParsedNode | null)?.range;
    return range === undefined || range === null ? undefined : this.#range(range[0], range[1]);
  }
}

/** What each alias repeats: the last anchor of its name above it. (The library looks through the document for each one.) */
function anchorTargets(document: Document.Parsed): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias(_key, alias) {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
    Value(_key, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** As JavaScript would name the property. */
function keyText(value: unknown): string | undefined {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : undefined;
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}

function spelledAs(value: unknown): "number" | "boolean" | undefined {
  return typeof value === "number" || typeof value === "bigint"
    ? "number"
    : typeof value === "boolean"
      ? "boolean"
      : undefined;
}

function keepsText(path: FieldPath): boolean {
  const below = path[0] === "environments" ? path.slice(2) : path;
  return textFields.some(
    (field) => field.length === below.length && field.every((part, index) => part === "*" || part === below[index]),
  );
}
