import type { Diagnostic, SourceRange } from "../errors/diagnostic.ts";
import { formatPath } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import type { SourceText } from "./source-text.ts";
import { isContainer, valueAt } from "./tree.ts";
import type { Container, Marks } from "./tree.ts";

export interface Problem {
  readonly code: string;
  readonly summary: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** Default `error`. */
  readonly severity?: Diagnostic["severity"];
  /** `key`: point at the key and not at its value. */
  readonly at?: "key" | "value";
  /** Where exactly, if that is narrower than the field. */
  readonly range?: SourceRange | undefined;
}

/** Collects problems and finds their place at once, while the tree is as it was when they were found. */
export class Problems {
  readonly #found: Diagnostic[] = [];
  readonly #file: string;
  readonly #source: SourceText;
  readonly #marks: Marks;
  #root: Container = {};

  constructor(file: string, source: SourceText, marks: Marks) {
    this.#file = file;
    this.#source = source;
    this.#marks = marks;
  }

  /** The tree in which paths are looked up from now on. */
  lookIn(root: Container): void {
    this.#root = root;
  }

  add(path: FieldPath, problem: Problem): void {
    const range = problem.range ?? this.locate(path, problem.at);
    this.#found.push({
      severity: problem.severity ?? "error",
      code: problem.code,
      summary: problem.summary,
      ...(problem.detail === undefined ? {} : { detail: problem.detail }),
      path: this.#file,
      ...(range === undefined ? {} : { range }),
      ...(path.length === 0 ? {} : { field: formatPath(path) }),
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    });
  }

  /** A scalar is at its value; a map or list at its key, which is what a reader looks for. */
  locate(path: FieldPath, at: "key" | "value" = "value"): SourceRange | undefined {
    const found = this.#marks.nearest(this.#root, path);
    if (found === undefined) return undefined;
    const { mark, exact } = found;
    const atKey = at === "key" || !exact || mark.isScalar !== true;
    const span = atKey ? (mark.key ?? mark.value) : mark.value;
    return span === undefined ? undefined : this.#source.range(span);
  }

  /** Where a piece of an entry's text stands, if it is written there as it is. */
  locateWithin(container: Container, key: string | number, piece: string): SourceRange | undefined {
    const mark = this.#marks.get(container, key);
    return mark?.isScalar === true && mark.value !== undefined
      ? this.#source.rangeWithin(mark.value, piece)
      : undefined;
  }

  get count(): number {
    return this.#found.length;
  }

  get hasErrors(): boolean {
    return this.hasErrorsSince(0);
  }

  /** Found since `count` was `from`. */
  hasErrorsSince(from: number): boolean {
    return this.#found.slice(from).some((each) => each.severity === "error");
  }

  /** Takes back what was found since `count` was `from`. */
  takeSince(from: number): Diagnostic[] {
    return this.#found.splice(from);
  }

  put(diagnostics: readonly Diagnostic[]): void {
    this.#found.push(...diagnostics);
  }

  /** In the order of the file. What several services ran into at one place stands there once. */
  all(): Diagnostic[] {
    const line = (each: Diagnostic) => each.range?.start.line ?? 0;
    const column = (each: Diagnostic) => each.range?.start.column ?? 0;
    const said = ({ summary, detail, range }: Diagnostic): string => JSON.stringify([summary, detail, range]);
    return [...new Map(this.#found.map((each) => [said(each), each])).values()].toSorted(
      (a, b) => line(a) - line(b) || column(a) - column(b),
    );
  }
}

export interface TreeEntry {
  readonly container: Container;
  readonly key: string | number;
  /** Only for the time of the visit. */
  readonly path: FieldPath;
  readonly value: unknown;
}

/** Visits every entry of a tree, maps and lists before what is in them. */
export function eachEntry(root: Container, visit: (entry: TreeEntry) => void, from: FieldPath = []): void {
  // One path for all: declarations are large, and few visits look at it.
  const path = [...from];
  const walk = (container: Container): void => {
    for (const name of Object.keys(container)) {
      const key = Array.isArray(container) ? Number(name) : name;
      const value = valueAt(container, key);
      path.push(key);
      visit({ container, key, path, value });
      if (isContainer(value)) walk(value);
      path.pop();
    }
  };
  walk(root);
}
