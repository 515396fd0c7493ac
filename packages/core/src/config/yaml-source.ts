import type { Diagnostic, SourceRange } from "../errors/diagnostic.ts";
import { readDocument } from "./document.ts";
import { Problems } from "./problems.ts";
import { SourceText } from "./source-text.ts";
import { keepsText } from "./text-fields.ts";
import type { Fields } from "./text-fields.ts";
import { Marks } from "./tree.ts";

/** YAML of another tool as plain data, read with the care of `pctl.yaml`: anchors and `<<` followed, all places known. */
export interface YamlSource {
  /** Undefined where `diagnostics` say why. */
  readonly root: Readonly<Record<string, unknown>> | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Where an entry of a map or list of `root` stands: at its value, maps and lists at their key. `key`: at the key in any case. */
  rangeOf(container: object, key: string | number, at?: "key" | "value"): SourceRange | undefined;
}

export interface YamlSourceOptions {
  /** As diagnostics show it. */
  readonly file: string;
  /** Fields whose numbers and booleans keep their source text, by their keys from the root; `*` is any key. */
  readonly keepText?: readonly (readonly string[])[];
  /** What a file begins with that has nothing of use in it: a sentence. */
  readonly hint: string;
}

export function readYamlSource(text: string, options: YamlSourceOptions): YamlSource {
  const marks = new Marks();
  const source = new SourceText(text);
  const problems = new Problems(options.file, source, marks);
  const { hint } = options;
  const root = readDocument(source, marks, problems, { fields: fieldsOf(options.keepText ?? []), hint });
  return {
    root,
    diagnostics: problems.all(),
    rangeOf(container, key, at = "value") {
      const mark = marks.get(container, key);
      const span = at === "key" || mark?.isScalar !== true ? (mark?.key ?? mark?.value) : mark.value;
      return span === undefined ? undefined : source.range(span);
    },
  };
}

function fieldsOf(paths: readonly (readonly string[])[]): Fields {
  if (paths.some((path) => path.length === 0)) return keepsText;
  const groups = Map.groupBy(paths, ([key = ""]) => key);
  return new Map([...groups].map(([key, group]) => [key, fieldsOf(group.map(([, ...rest]) => rest))]));
}
