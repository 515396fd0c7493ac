/** Keys from the root of the declaration to a field; list items by their index. */
export type FieldPath = readonly (string | number)[];

/** `services.web.ports[0]`; a key that is no plain word is quoted: `services["web.v1"]`. */
export function formatPath(path: FieldPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[\w$-]+$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** The inverse of `formatPath`; also takes `ports.0` for `ports[0]`. */
export function parsePath(text: string): FieldPath {
  const path: (string | number)[] = [];
  const part = /\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[]+)/g;
  for (const [, index, quoted, word] of text.matchAll(part)) {
    if (index !== undefined) path.push(Number(index));
    else if (quoted !== undefined) path.push(String(JSON.parse(quoted)));
    else if (word !== undefined) path.push(word);
  }
  return path;
}
