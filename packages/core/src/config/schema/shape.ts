import type { FieldPath } from "../field-path.ts";
import { anyOf, nearest } from "../nearest.ts";
import type { Problem, Problems } from "../problems.ts";
import { replaceTokens } from "../wiring-token.ts";
import { isTree, unresolved } from "../tree.ts";
import type { Tree } from "../tree.ts";

export type JsonSchema = { readonly [key: string]: unknown };

/** What a value must look like. One description gives reading, messages, JSON Schema and the reference page. */
export interface Shape<T> {
  /** For messages, e.g. `a number of seconds or a duration such as 500ms or 2m`. */
  readonly expected: string;
  /** Is it of the right kind at all? Decides between alternatives. */
  fits(value: unknown): boolean;
  /** Undefined where a problem was reported. Only called with what fits. */
  read(value: unknown, at: At): T | undefined;
  readonly json: JsonSchema;
  /** Shapes inside: alternatives, items (`[]`), values under names of the user's own (`.NAME`). For the reference page. */
  readonly members?: readonly Member[];
}

interface Member {
  readonly shape: Shape<unknown>;
  readonly suffix: "" | "[]" | ".NAME";
}

export function membersOf(shape: Shape<unknown>): readonly Member[] {
  return shape.members ?? [];
}

/** What a shape accepts. */
export type Read<S> = S extends Shape<infer T> ? T : never;

/** A place in the declaration, and where its problems go. */
export class At {
  readonly path: FieldPath;
  readonly #problems: Problems;

  constructor(path: FieldPath, problems: Problems) {
    this.path = path;
    this.#problems = problems;
  }

  child(key: string | number): At {
    return new At([...this.path, key], this.#problems);
  }

  problem(problem: Problem): undefined {
    this.#problems.add(this.path, problem);
    return undefined;
  }
}

/** Reads a value of any kind: tells what is missing or of another kind, and is silent where a problem is known already. */
export function readShape<T>(shape: Shape<T>, value: unknown, at: At): T | undefined {
  if (value === unresolved) return undefined;
  if (value === null) {
    const empty =
      at.path.at(-2) === "env"
        ? 'Write "" for empty text, or remove the line.'
        : `Give it ${shape.expected}, or remove the line.`;
    return at.problem({ code: "no-value", at: "key", summary: `${fieldName(at)} has no value`, hint: empty });
  }
  if (!shape.fits(value)) {
    return at.problem({
      code: "wrong-kind",
      summary: `${fieldName(at)} must be ${shape.expected}, not ${kindOf(value)}`,
    });
  }
  return shape.read(value, at);
}

function fieldName(at: At): string {
  const last = at.path.at(-1);
  if (last === undefined) return "the declaration";
  return typeof last === "number" ? `item ${last + 1} of ${String(at.path.at(-2) ?? "the list")}` : last;
}

/** Kinds, never values: a value may be a secret. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isTree(value)) return "a map";
  if (typeof value === "string") return value === "" ? "empty text" : "text";
  if (typeof value === "number") return "a number";
  if (typeof value === "boolean") return String(value);
  return typeof value === "function" ? "a function" : String(value);
}

export function text(
  options: { expected?: string; pattern?: RegExp; hint?: string; allowEmpty?: boolean } = {},
): Shape<string> {
  const { expected = "text", pattern, hint, allowEmpty = false } = options;
  return {
    expected,
    fits: (value) => typeof value === "string",
    read(value, at) {
      const content = String(value);
      if (replaceTokens(content, () => "").includes("\0"))
        return at.problem({
          code: "nul",
          summary: `${fieldName(at)} holds a NUL character, which no process can be given`,
        });
      if (content === "" && !allowEmpty)
        return at.problem({
          code: "wrong-value",
          summary: `${fieldName(at)} is empty`,
          hint: hint ?? `Give it ${expected}.`,
        });
      if (pattern !== undefined && !pattern.test(content))
        return at.problem({ code: "wrong-value", summary: `${fieldName(at)} must be ${expected}`, hint });
      return content;
    },
    json: { type: "string", ...(pattern === undefined ? {} : { pattern: pattern.source }) },
  };
}

/** A whole number; also as text, since expressions give text. */
export function integer(options: { expected: string; min: number; max?: number }): Shape<number> {
  const { expected, min, max } = options;
  return {
    expected,
    fits: (value) => typeof value === "number" || (typeof value === "string" && /^\s*[-+]?\d+(\.\d+)?\s*$/.test(value)),
    read(value, at) {
      const number = Number(value);
      if (!Number.isSafeInteger(number))
        return at.problem({ code: "wrong-value", summary: `${fieldName(at)} must be ${expected}, a whole number` });
      if (number < min || (max !== undefined && number > max)) {
        const limits = max === undefined ? `at least ${min}` : `between ${min} and ${max}`;
        return at.problem({ code: "wrong-value", summary: `${fieldName(at)} must be ${limits}, not ${number}` });
      }
      return number;
    },
    json: { type: "integer", minimum: min, ...(max === undefined ? {} : { maximum: max }) },
  };
}

export const flag: Shape<boolean> = {
  expected: "true or false",
  fits: (value) => typeof value === "boolean" || value === "true" || value === "false",
  read: (value) => value === true || value === "true",
  json: { type: "boolean" },
};

/** One of a few words; `later` are known and refused until a later version. */
export function word<const W extends string>(words: readonly W[], later: readonly W[] = []): Shape<W> {
  return {
    expected: anyOf(words),
    fits: (value) => typeof value === "string",
    read(value, at) {
      const found = words.find((each) => each === value);
      if (found === undefined) {
        const near = nearest(String(value), words);
        return at.problem({
          code: "wrong-value",
          summary: `${fieldName(at)} must be ${anyOf(words)}`,
          hint: near === undefined ? undefined : `Did you mean ${near}?`,
        });
      }
      if (later.includes(found))
        return at.problem({
          code: "later",
          summary: `${fieldName(at)} ${found} comes with a later version`,
          hint: `Until then use ${anyOf(words.filter((each) => !later.includes(each)))}.`,
        });
      return found;
    },
    json: { enum: words },
  };
}

/** Why a value is refused, where "must be …" does not say enough. */
export class Refusal {
  readonly summary: string;
  readonly hint: string | undefined;

  constructor(summary: string, hint?: string) {
    this.summary = summary;
    this.hint = hint;
  }
}

/** A text or number with a meaning of its own. `parse` returns undefined for what it does not understand. */
export function scalar<T>(options: {
  expected: string;
  hint?: string;
  json: JsonSchema;
  parse(text: string, kind: "text" | "number"): T | Refusal | undefined;
}): Shape<T> {
  return {
    expected: options.expected,
    fits: (value) => typeof value === "string" || typeof value === "number",
    read(value, at) {
      const parsed = options.parse(String(value).trim(), typeof value === "number" ? "number" : "text");
      if (parsed === undefined)
        return at.problem({
          code: "wrong-value",
          summary: `${fieldName(at)} must be ${options.expected}`,
          hint: options.hint,
        });
      if (parsed instanceof Refusal)
        return at.problem({ code: "wrong-value", summary: parsed.summary, hint: parsed.hint ?? options.hint });
      return parsed;
    },
    json: options.json,
  };
}

export function list<T>(
  item: Shape<T>,
  options: { expected?: string; hint?: string; minItems?: number } = {},
): Shape<T[]> {
  const { expected = "a list", minItems = 0 } = options;
  return {
    expected,
    fits: (value) => Array.isArray(value),
    read(value, at) {
      const items: unknown[] = Array.isArray(value) ? value : [];
      if (items.length < minItems)
        return at.problem({ code: "wrong-value", summary: `${fieldName(at)} is empty`, hint: options.hint });
      const read = items.map((each, index) => readShape(item, each, at.child(index)));
      return read.filter((each) => each !== undefined);
    },
    members: [{ shape: item, suffix: "[]" }],
    json: { type: "array", items: item.json, ...(minItems === 0 ? {} : { minItems }) },
  };
}

/** A map with names of the user's own. `key` refuses a name by returning why. */
export function map<T>(
  item: Shape<T>,
  options: { expected?: string; key?: (name: string) => { summary: string; hint?: string } | undefined } = {},
): Shape<Record<string, T>> {
  const { expected = "a map", key } = options;
  return {
    expected,
    fits: isTree,
    read(value, at) {
      const found: Record<string, T> = {};
      for (const [name, inner] of Object.entries(isTree(value) ? value : {})) {
        if (inner === undefined) continue;
        const refused = key?.(name);
        if (refused !== undefined) at.child(name).problem({ code: "bad-name", at: "key", ...refused });
        const read = readShape(item, inner, at.child(name));
        if (read !== undefined && refused === undefined) found[name] = read;
      }
      return found;
    },
    members: [{ shape: item, suffix: ".NAME" }],
    json: { type: "object", additionalProperties: item.json },
  };
}

/** Taken as it is. */
export const anything: Shape<unknown> = { expected: "any value", fits: () => true, read: (value) => value, json: {} };
export const anyMap: Shape<Tree> = {
  expected: "a map",
  fits: isTree,
  read: (value) => (isTree(value) ? value : undefined),
  json: { type: "object" },
};

/** The first alternative whose kind fits reads the value. */
export function either<S extends readonly Shape<unknown>[]>(...shapes: S): Shape<Read<S[number]>> {
  const expected = anyOf([...new Set(shapes.map((each) => each.expected))]);
  return {
    expected,
    fits: (value) => shapes.some((each) => each.fits(value)),
    // The union of what the alternatives give; the compiler does not follow `find`.
    read: (value, at) => shapes.find((each) => each.fits(value))?.read(value, at) as Read<S[number]> | undefined,
    members: shapes.map((shape) => ({ shape, suffix: "" })),
    json: { anyOf: shapes.map((each) => each.json) },
  };
}

/** The same shape with its value turned into another; `convert` may report problems and then gives undefined. */
export function convert<A, B>(shape: Shape<A>, to: (value: A, at: At) => B | undefined): Shape<B> {
  return {
    ...shape,
    read(value, at) {
      const read = shape.read(value, at);
      return read === undefined ? undefined : to(read, at);
    },
  };
}
