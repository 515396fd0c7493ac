import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** One part of a pattern of `.dockerignore`, read from left to right. */
type Token =
  | { readonly kind: "literal"; readonly character: string; readonly escaped: boolean }
  /** `*`, `?`, and `[…]` as the text of a class of a regular expression. */
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "class"; readonly text: string }
  /** `**`, and whether a `/` follows, which belongs to it. */
  | { readonly kind: "stars"; readonly slash: boolean };

/**
 * What a whole path must look like for a cleaned pattern (no leading `/`, no `!`) to name it. The syntax is that of Go's
 * `path.Match` and `**`, as moby's `patternmatcher` has it, with its peculiarities: `**` inside of a pattern stands for
 * whole folders, at its end and alone at its start for any text.
 * @throws `INVALID` for what is no pattern, such as `[a`.
 */
export function compilePattern(pattern: string): RegExp {
  const tokens = tokensOf(pattern);
  const [first, ...rest] = tokens;
  const isSuffix = first?.kind === "stars" && !first.slash && rest.every(isPlain);
  const source = tokens.map((token, index) => {
    if (token.kind !== "stars") return sourceOf(token);
    return index === tokens.length - 1 || (index === 0 && isSuffix) ? ".*" : "(?:.*/)?";
  });
  return new RegExp(`^${source.join("")}$`, "su");
}

function isPlain(token: Token): boolean {
  return token.kind === "literal" && !token.escaped;
}

function sourceOf(token: Exclude<Token, { readonly kind: "stars" }>): string {
  if (token.kind === "star") return "[^/]*";
  if (token.kind === "any") return "[^/]";
  return token.kind === "class" ? token.text : escaped(token.character);
}

function tokensOf(pattern: string): readonly Token[] {
  // By code point: a `?` stands for one of them.
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*" && characters[at + 1] === "*") {
      const slash = characters[at + 2] === "/";
      tokens.push({ kind: "stars", slash });
      at += slash ? 2 : 1;
    } else if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "any" });
    else if (character === "[") {
      const { text, end } = classAt(characters, at, pattern);
      tokens.push({ kind: "class", text });
      at = end;
    } else if (character === "\\") {
      at += 1;
      tokens.push({ kind: "literal", character: characters[at] ?? bad(pattern), escaped: true });
    } else tokens.push({ kind: "literal", character, escaped: false });
  }
  return tokens;
}

/** `[abc]`, `[^a-z]`: ranges of characters, at least one; `-` and `]` in them only behind a backslash. */
function classAt(characters: readonly string[], start: number, pattern: string): { text: string; end: number } {
  let at = start + 1;
  const one = (): string => {
    const isEscaped = characters[at] === "\\";
    const character = characters[isEscaped ? at + 1 : at];
    if (character === undefined || (!isEscaped && (character === "-" || character === "]"))) return bad(pattern);
    at += isEscaped ? 2 : 1;
    return character;
  };
  const isNegated = characters[at] === "^";
  if (isNegated) at += 1;
  const ranges: string[] = [];
  while (characters[at] !== "]" || ranges.length === 0) {
    const low = one();
    let high = low;
    if (characters[at] === "-") {
      at += 1;
      high = one();
    }
    // Go takes a range that runs backwards, and finds nothing in it.
    if (low <= high) ranges.push(`${escaped(low)}-${escaped(high)}`);
    else ranges.push("");
  }
  return { text: `[${isNegated ? "^" : ""}${ranges.join("")}]`, end: at };
}

/** As a code point, which means itself in and out of a class. */
function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function bad(pattern: string): never {
  throw new CtrlPlaneError("INVALID", `${JSON.stringify(pattern)} is no pattern that a .dockerignore may hold`, {
    target: pattern,
    hint: "Brackets close, hold `-` and `]` only behind a backslash, and a backslash stands before something.",
  });
}
