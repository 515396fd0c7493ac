import { isMap, isScalar, parseDocument, type Pair } from "yaml";

/** What somebody wrote beside the entries of a compose file. */
export interface Comments {
  /** Above everything. */
  readonly head: readonly string[];
  /** Above an entry and behind its value, by its path: `services.web.ports`. */
  readonly above: ReadonlyMap<string, readonly string[]>;
  readonly behind: ReadonlyMap<string, string>;
}

/** Comments of services, their fields and their variables; of a text that was read without an error. */
export function commentsOf(text: string): Comments {
  const document = parseDocument(text, { merge: false, uniqueKeys: false, logLevel: "silent" });
  const above = new Map<string, readonly string[]>();
  const behind = new Map<string, string>();
  const head = [
    ...linesOf(document.commentBefore),
    ...(isMap(document.contents) ? linesOf(document.contents.commentBefore) : []),
  ];
  const walk = (node: unknown, path: readonly string[]): void => {
    if (!isMap(node)) return;
    for (const [index, pair] of (node.items as readonly Pair[]).entries()) {
      if (!isScalar(pair.key)) continue;
      const here = [...path, String(pair.key.value)];
      // What stands above the first entry belongs to its map.
      const lines = [
        ...(index === 0 && path.length > 0 ? linesOf(node.commentBefore) : []),
        ...linesOf(pair.key.commentBefore),
      ];
      if (index === 0 && path.length === 0) head.push(...lines);
      else if (lines.length > 0) above.set(here.join("."), lines);
      const [comment] = isScalar(pair.value) ? linesOf(pair.value.comment) : [];
      if (comment !== undefined) behind.set(here.join("."), comment);
      if (here[0] === "services" && here.length < 4) walk(pair.value, here);
    }
  };
  walk(document.contents, []);
  return { head, above, behind };
}

function linesOf(comment: string | null | undefined): string[] {
  return (comment ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
