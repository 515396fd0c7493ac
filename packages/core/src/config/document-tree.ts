import { isAlias, isMap, isScalar, isSeq, visit } from "yaml";
import type { Alias, Document, Node, Pair, ParsedNode } from "yaml";
import type { SourceRange } from "../errors/diagnostic.ts";
import type { Problems } from "./problems.ts";
import type { SourceText, Span } from "./source-text.ts";
import { fieldsBelow, keepsText } from "./text-fields.ts";
import type { Fields } from "./text-fields.ts";
import { isTree } from "./tree.ts";
import type { Mark, Marks, Tree } from "./tree.ts";

/** More entries than any real declaration; anchors that multiply themselves end here. */
const mostEntries = 500_000;

/** Makes plain data of a parsed document, and notes where each entry stands. */
export class DocumentTree {
  readonly #document: Document.Parsed;
  readonly #source: SourceText;
  readonly #marks: Marks;
  readonly #problems: Problems;
  readonly #targets: ReadonlyMap<Alias, Node>;
  #entries = 0;
  /** Problems that leave a tree in which others can be looked for. */
  #repeated = 0;
  /** Anchored nodes that are being converted: an alias to one of them has no end. */
  readonly #open = new Set<Node>();

  constructor(document: Document.Parsed, source: SourceText, marks: Marks, problems: Problems) {
    this.#document = document;
    // Looking for anchors costs a walk through all nodes.
    this.#targets = source.text.includes("&") ? anchorTargets(document) : new Map<Alias, Node>();
    this.#source = source;
    this.#marks = marks;
    this.#problems = problems;
  }

  /** Undefined where a problem was found, repeated keys apart: of those the first counts. */
  read({ fields, hint }: { readonly fields: Fields; readonly hint: string }): Tree | undefined {
    const before = this.#problems.count;
    const root = this.#convert(this.#document.contents, fields);
    if (this.#problems.count > before + this.#repeated) return undefined;
    if (isTree(root)) return root;
    this.#problems.add([], {
      code: "not-a-map",
      summary: "the file holds no map of keys and values",
      hint,
      range: this.#rangeOf(this.#document.contents),
    });
    return undefined;
  }

  #convert(node: unknown, fields: Fields | undefined): unknown {
    if (this.#entries++ > mostEntries) return this.#tooLarge();
    if (isAlias(node)) return this.#follow(node, fields);
    if (isScalar(node)) return this.#scalar(node, fields);
    if (isSeq(node)) return this.#list(node.items, node, fields);
    if (isMap(node)) return this.#map(node, fields);
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

  #follow(alias: Alias, fields: Fields | undefined): unknown {
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
    return this.#convert(target, fields);
  }

  #scalar(node: { value: unknown; source?: string | undefined }, fields: Fields | undefined): unknown {
    const { value, source } = node;
    if (typeof value === "bigint") return Number(value);
    if ((typeof value === "number" || typeof value === "boolean") && source !== undefined && fields === keepsText)
      return source;
    return value;
  }

  #list(items: readonly unknown[], node: Node, fields: Fields | undefined): unknown[] {
    const list: unknown[] = [];
    const inner = fieldsBelow(fields, "*");
    this.#within(node, () => {
      for (const [index, item] of items.entries()) {
        list.push(this.#convert(item, inner));
        this.#marks.set(list, index, this.#markOf(item, undefined, inner));
      }
    });
    return list;
  }

  #map(node: { items: readonly Pair[] } & Node, fields: Fields | undefined): Tree {
    const map: Tree = {};
    const merges: Pair[] = [];
    this.#within(node, () => {
      for (const pair of node.items) {
        if (isMergeKey(pair.key)) merges.push(pair);
        else this.#entry(map, pair, fields);
      }
      for (const pair of merges) this.#merge(map, pair, fields);
    });
    return map;
  }

  #entry(map: Tree, pair: Pair, fields: Fields | undefined): void {
    const keyNode = isAlias(pair.key) ? this.#targets.get(pair.key) : pair.key;
    const key = isScalar(keyNode) ? keyText(keyNode.value) : undefined;
    if (key === undefined || key === "__proto__") {
      const summary = key === undefined ? "a key must be a word, not a map or a list" : "`__proto__` cannot be a key";
      this.#problems.add([], { code: "bad-key", summary, range: this.#rangeOf(pair.key) });
      return;
    }
    if (Object.hasOwn(map, key)) {
      const [first = 0] = this.#marks.get(map, key)?.key ?? [];
      const summary = `the key ${JSON.stringify(key)} stands here a second time, after line ${this.#source.lines.linePos(first).line}`;
      this.#repeated += 1;
      this.#problems.add([], {
        code: "duplicate-key",
        summary,
        hint: "Keep one of the two.",
        range: this.#rangeOf(pair.key),
      });
      return;
    }
    const inner = fieldsBelow(fields, key);
    map[key] = this.#convert(pair.value, inner);
    this.#marks.set(map, key, this.#markOf(pair.value, spanOf(pair.key), inner));
  }

  /** `<<`: what the map has itself stays; of several sources the first wins. */
  #merge(map: Tree, pair: Pair, fields: Fields | undefined): void {
    const value = isAlias(pair.value) ? this.#targets.get(pair.value) : pair.value;
    const sources = isSeq(value) ? value.items : [pair.value];
    for (const source of sources) {
      const merged = this.#convert(source, fields);
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

  #markOf(node: unknown, key: Span | undefined, fields: Fields | undefined): Mark {
    const target = fields === keepsText && isAlias(node) ? this.#targets.get(node) : node;
    const spelled = fields === keepsText && isScalar(target) ? spelledAs(target.value) : undefined;
    return { value: spanOf(node) ?? key, key, spelled, isScalar: isScalar(node) };
  }

  #rangeOf(node: unknown): SourceRange | undefined {
    const span = spanOf(node);
    return span === undefined ? undefined : this.#source.range(span);
  }
}

function spanOf(node: unknown): Span | undefined {
  // The library types nodes of a parsed document as `unknown` here; each of them has its range.
  return (node as ParsedNode | null)?.range ?? undefined;
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
