/** `${name:key, fallback}`; key and fallback may hold further expressions. */
export interface Expression {
  readonly kind: "expression";
  readonly name: string;
  readonly key: Template;
  readonly fallback?: Template;
  /** As written, from `${` to `}`. */
  readonly source: string;
}

/** Text and expressions in turn. */
export type Template = readonly (string | Expression)[];

export interface ParsedTemplate {
  readonly template: Template;
  /** `${WORD}`, which stays as it is: pctl 1.1 left it to the shell. */
  readonly shellLike: readonly string[];
  /** Begun and not ended. */
  readonly unended?: string;
}

const resolverName = /^\s*([A-Za-z_][\w-]*)\s*$/;
const shellVariable = /^[A-Z_][A-Z0-9_]*$/;
/** What a shell does with `${NAME:…}`: default, assignment, error, alternative, substring. */
const shellOperator = /^\s*[-=?+0-9]/;

/**
 * Reads the expressions of one text. `$${` is the text `${`. What has no colon is text. In a command `${NAME:-x}` is the
 * shell's own (`inCommand`).
 */
export function parseTemplate(text: string, inCommand: boolean): ParsedTemplate {
  return new TemplateReader(text, inCommand).read();
}

class TemplateReader {
  readonly #text: string;
  readonly #inCommand: boolean;
  readonly #shellLike: string[] = [];
  #unended: string | undefined;

  constructor(text: string, inCommand: boolean) {
    this.#text = text;
    this.#inCommand = inCommand;
  }

  read(): ParsedTemplate {
    const template = this.#parts(0, this.#text.length);
    return { template, shellLike: this.#shellLike, ...(this.#unended === undefined ? {} : { unended: this.#unended }) };
  }

  #parts(from: number, to: number): Template {
    const parts: (string | Expression)[] = [];
    let literal = "";
    for (let at = from; at < to;) {
      if (this.#text.startsWith("$${", at)) {
        literal += "${";
        at += 3;
        continue;
      }
      const end = this.#text.startsWith("${", at) ? this.#endOf(at, to) : undefined;
      const expression = end === undefined ? undefined : this.#expression(at, end);
      if (end === undefined || expression === undefined) {
        literal += this.#text.charAt(at);
        at += 1;
        continue;
      }
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push(expression);
      at = end + 1;
    }
    if (literal !== "" || parts.length === 0) parts.push(literal);
    return parts;
  }

  /** Where the brace closes that opens at `start`; braces inside are counted, so that a fallback may be JSON. */
  #endOf(start: number, to: number): number | undefined {
    let depth = 0;
    for (let at = start + 1; at < to; at++) {
      const letter = this.#text.charAt(at);
      if (letter === "{") depth++;
      if (letter === "}" && --depth === 0) return at;
    }
    const begun = this.#text.slice(start, to);
    if (/^\$\{\s*[A-Za-z_][\w-]*\s*:/.test(begun) && !this.#inCommand) this.#unended ??= begun;
    return undefined;
  }

  #expression(start: number, end: number): Expression | undefined {
    const [from, source] = [start + 2, this.#text.slice(start, end + 1)];
    const colon = this.#find(":", from, end);
    const name = colon === undefined ? undefined : resolverName.exec(this.#text.slice(from, colon))?.[1];
    if (colon === undefined || name === undefined) {
      const word = /^[A-Z_][A-Z0-9_]*/.exec(this.#text.slice(from, end))?.[0];
      if (word !== undefined) this.#shellLike.push(source);
      return undefined;
    }
    if (this.#inCommand && shellVariable.test(name) && shellOperator.test(this.#text.slice(colon + 1, end)))
      return undefined;
    const comma = this.#find(",", colon + 1, end);
    const key = trimmed(this.#parts(colon + 1, comma ?? end));
    if (comma === undefined) return { kind: "expression", name, key, source };
    return { kind: "expression", name, key, fallback: trimmed(this.#parts(comma + 1, end)), source };
  }

  /** The letter outside of inner expressions. */
  #find(letter: string, from: number, to: number): number | undefined {
    let depth = 0;
    for (let at = from; at < to; at++) {
      const here = this.#text.charAt(at);
      if (here === "{") depth++;
      else if (here === "}") depth--;
      else if (here === letter && depth === 0) return at;
    }
    return undefined;
  }
}

function trimmed(template: Template): Template {
  const last = template.length - 1;
  const parts = template.map((part, index) => {
    if (typeof part !== "string") return part;
    const start = index === 0 ? part.trimStart() : part;
    return index === last ? start.trimEnd() : start;
  });
  const kept = parts.filter((part) => part !== "");
  return kept.length === 0 ? [""] : kept;
}

/** A quick no for most texts. */
export function mayHoldExpression(text: string): boolean {
  return text.includes("${");
}
