import { nearest } from "../nearest.ts";
import { isTree } from "../tree.ts";
import type { At, JsonSchema, Shape } from "./shape.ts";
import { readShape } from "./shape.ts";

/** One key of a map whose keys are ours. */
export interface Field<T> {
  readonly shape: Shape<T>;
  /** One sentence or two, for JSON Schema and the reference page. */
  readonly description: string;
  /** As YAML, for the reference page. */
  readonly example?: string;
  /** What its absence means, in words. */
  readonly default?: string;
  readonly required?: boolean;
}

type Fields = { readonly [key: string]: Field<unknown> };
type Values<F extends Fields> = { [K in keyof F]?: F[K] extends Field<infer T> ? T : never };

export interface FieldsOptions {
  readonly expected?: string;
  /** Words of compose, Kubernetes and others, with what to write instead. */
  readonly counterparts?: { readonly [word: string]: string };
  /** pctl 1.1 had this map and dropped what it did not know of it. */
  readonly knownTo11?: boolean;
  /** Keys that begin with `x-` are the user's own. */
  readonly allowsExtensions?: boolean;
}

export interface FieldsShape<F extends Fields> extends Shape<Values<F>> {
  readonly fields: F;
}

export function isFieldsShape(shape: Shape<unknown>): shape is FieldsShape<Fields> {
  return "fields" in shape;
}

/** A map whose keys are ours: unknown ones are errors, with the key that was probably meant. */
export function fields<const F extends Fields>(members: F, options: FieldsOptions = {}): FieldsShape<F> {
  const { expected = "a map", allowsExtensions = false } = options;
  return {
    fields: members,
    expected,
    fits: isTree,
    read(value, at) {
      const map = isTree(value) ? value : {};
      const read: Record<string, unknown> = {};
      for (const key of Object.keys(map)) {
        const member = Object.hasOwn(members, key) ? members[key] : undefined;
        const inner = map[key];
        if (inner === undefined) continue;
        if (member !== undefined) read[key] = readShape(member.shape, inner, at.child(key));
        else if (!(allowsExtensions && key.startsWith("x-")))
          refuseUnknown(key, Object.keys(members), options, at.child(key));
      }
      for (const [key, member] of Object.entries(members)) {
        if (member.required === true && map[key] === undefined) {
          at.problem({
            code: "missing",
            summary: `${key} is missing`,
            at: "key",
            hint: `Add ${key}: ${member.example ?? member.shape.expected}.`,
          });
        }
      }
      // Each value was read by the shape of its own key.
      return read as Values<F>;
    },
    json: jsonOf(members, allowsExtensions),
  };
}

function refuseUnknown(key: string, known: readonly string[], options: FieldsOptions, at: At): void {
  const counterparts = new Map(Object.entries(options.counterparts ?? {}));
  const near = nearest(key, [...known, ...counterparts.keys()]) ?? "";
  // A misspelled word of compose means the counterpart of the word.
  const counterpart = counterparts.get(key) ?? counterparts.get(near);
  const hint = counterpart ?? (near === "" ? `Known here: ${known.join(", ")}.` : `Did you mean \`${near}\`?`);
  at.problem({
    code: "unknown-key",
    summary: `unknown key \`${key}\``,
    at: "key",
    hint,
    detail: options.knownTo11 === true ? "pctl 1.1 ignored this key." : undefined,
  });
}

function jsonOf(members: Fields, allowsExtensions: boolean): JsonSchema {
  const required = Object.keys(members).filter((key) => members[key]?.required === true);
  const properties = Object.entries(members).map(([key, member]) => {
    const fallback = member.default === undefined ? "" : ` Default: ${member.default}.`;
    return [key, { ...member.shape.json, description: `${member.description}${fallback}` }] as const;
  });
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    ...(allowsExtensions ? { patternProperties: { "^x-": {} } } : {}),
    additionalProperties: false,
  };
}
