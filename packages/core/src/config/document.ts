import { parseAllDocuments } from "yaml";
import type { Document, YAMLError } from "yaml";
import { DocumentTree } from "./document-tree.ts";
import type { Problems } from "./problems.ts";
import type { SourceText } from "./source-text.ts";
import { textFields } from "./text-fields.ts";
import type { Fields } from "./text-fields.ts";
import type { Marks, Tree } from "./tree.ts";

/** What is known of a kind of file before it is read. */
export interface DocumentKind {
  /** Which of its fields keep the source text of numbers and booleans. */
  readonly fields: Fields;
  /** How such a file begins: said of one that holds nothing of use. */
  readonly hint: string;
}

const declaration: DocumentKind = {
  fields: textFields,
  hint: "Begin with `name:` and `services:`; `pctl init` writes a first one.",
};

/** Reads YAML 1.2 (core schema) into plain data with marks. Undefined where a problem was found after which others mean nothing. */
export function readDocument(
  source: SourceText,
  marks: Marks,
  problems: Problems,
  kind: DocumentKind = declaration,
): Tree | undefined {
  const parsed = parseAllDocuments(source.text, {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
    lineCounter: source.lines,
    prettyErrors: false,
  });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  const [document, second] = documents;
  if (document === undefined || document.contents === null) {
    // An empty text has no document, a text of comments only has one without contents; both may carry an error.
    const [error] = document?.errors ?? [];
    if (error === undefined) problems.add([], { ...emptyFile, hint: kind.hint, range: source.range([0, 0]) });
    else problems.add([], { ...explainSyntax(error), range: source.range(error.pos) });
    return undefined;
  }
  // One syntax error makes others follow from it: the first is the one to mend.
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) {
    problems.add([], { ...explainSyntax(error), range: source.range(error.pos) });
    return undefined;
  }
  if (second !== undefined) {
    const at = second.range[0];
    problems.add([], {
      code: "several-documents",
      summary: "a second YAML document begins here (`---`); one file declares one stack",
      hint: "Put it into a file of its own.",
      range: source.range([at, at]),
    });
    return undefined;
  }
  return new DocumentTree(document, source, marks, problems).read(kind);
}

const emptyFile = { code: "empty-file", summary: "the file is empty" };

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
