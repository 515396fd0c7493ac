import * as z from "zod";
import type { Problem } from "../problems.ts";

/** What zod keeps no place for: words for messages and for the reference page. */
export interface Notes {
  /** For messages, e.g. `a number of seconds or a duration such as 500ms or 2m`. */
  readonly expected?: string | undefined;
  /** What to do about a wrong value, where `expected` does not say it. */
  readonly hint?: string | undefined;
  /** What to say of a value of another kind (in `kindOf`'s words), where "must be …" does not say enough. */
  readonly instead?: Readonly<Record<string, Problem>>;
  /** Words of compose, Kubernetes and others for keys of this map, with what to write instead. */
  readonly counterparts?: Readonly<Record<string, string>>;
  /** pctl 1.1 had this map and dropped what it did not know of it. */
  readonly knownTo11?: boolean;
  readonly description?: string;
  readonly example?: string;
  readonly default?: string;
}

/** What a field of a map says of itself. */
export interface About {
  /** One sentence or two, for JSON Schema and the reference page. */
  readonly description: string;
  /** As YAML, for the reference page and for what is missing. */
  readonly example?: string;
  /** What its absence means, in words. */
  readonly default?: string;
}

export const notes = z.registry<Notes>();

/** Notes on a schema just made, which nobody else uses yet. */
export function noted<S extends z.ZodType>(schema: S, note: Notes): S {
  notes.add(schema, note);
  return schema;
}

/** A copy with what the field says of itself; it keeps the notes that the schema had. */
export function requiredField<S extends z.ZodType>(schema: S, about: About): S {
  const fallback = about.default === undefined ? "" : ` Default: ${about.default}.`;
  return noted(schema.meta({ description: `${about.description}${fallback}` }), about);
}

export function field<S extends z.ZodType>(schema: S, about: About): z.ZodOptional<S> {
  return z.optional(requiredField(schema, about));
}

/**
 * Refuses a value from within a check or transformation. Without a problem the message is that the field must be what
 * its schema expects.
 */
export function refuse(context: z.core.$RefinementCtx, problem?: Problem): never {
  context.addIssue({ code: "custom", continue: false, params: { problem } });
  return z.NEVER;
}
