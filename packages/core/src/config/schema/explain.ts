import * as z from "zod";
import type { FieldPath } from "../field-path.ts";
import { nearest } from "../nearest.ts";
import type { Problem } from "../problems.ts";
import { isContainer, isTree, unresolved, valueAt } from "../tree.ts";
import { expectedOf, judge, mapIn, memberOf, noteOf } from "./members.ts";
import type { Schema } from "./members.ts";
import { notes } from "./notes.ts";

/** What zod found, in our words. */
export interface Finding {
  /** Where it is told. */
  readonly path: FieldPath;
  /** Absent where the problem is told already. */
  readonly problem?: Problem;
  /** What cannot be read because of it. */
  readonly lost: FieldPath;
}

interface Place {
  readonly schema: Schema | undefined;
  readonly value: unknown;
  readonly path: FieldPath;
}

export function explain(issues: readonly z.core.$ZodIssue[], schema: Schema, value: unknown): Finding[] {
  return issues.flatMap((issue) => explainIssue(issue, { schema, value, path: [] }));
}

function explainIssue(issue: z.core.$ZodIssue, from: Place): Finding[] {
  const keys = issue.path.filter((key) => typeof key !== "symbol");
  const parent = keys.slice(0, -1).reduce(child, from);
  const place = keys.slice(-1).reduce(child, parent);
  const { path, value, schema } = place;
  const told = (problem: Problem): Finding[] => [{ path, problem, lost: path }];

  if (value === unresolved) return [{ path, lost: path }];
  if (value === null) return told(noValue(place));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, place));
  if (issue.code === "invalid_key") return told({ ...refusal(issue.issues), at: "key" });
  if (value === undefined) return [missing(parent, place)];
  if (issue.code === "invalid_union") {
    const inside = schema === undefined ? undefined : judge(schema);
    const chosen = issue.errors.findIndex((each) => !each.some((inner) => isOtherKind(inner, value)));
    const option = inside instanceof z.ZodUnion ? inside.options[chosen] : undefined;
    if (option === undefined) return told(wrongKind(place));
    return (issue.errors[chosen] ?? []).flatMap((each) => explainIssue(each, { schema: option, value, path }));
  }
  if (issue.code === "too_small" && isOtherLength(issue.origin, schema)) return [];
  return told(isOtherKind({ ...issue, path: [] }, value) ? wrongKind(place) : wrongValue(issue, place));
}

function child({ schema, value, path }: Place, key: string | number): Place {
  return {
    schema: schema === undefined ? undefined : memberOf(schema, key),
    value: isContainer(value) ? valueAt(value, key) : undefined,
    path: [...path, key],
  };
}

/** The issue is that the value as a whole is no text, no map, …; so this alternative was not meant. */
function isOtherKind(issue: z.core.$ZodIssue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union")
    return issue.errors.every((each) => each.some((inner) => isOtherKind(inner, value)));
  if (issue.code === "invalid_value") return typeof value !== "string";
  return issue.code === "invalid_type" && issue.expected !== "int";
}

function noValue({ path, schema }: Place): Problem {
  const hint =
    path.at(-2) === "env"
      ? 'Write "" for empty text, or remove the line.'
      : `Give it ${expected(schema)}, or remove the line.`;
  return { code: "no-value", at: "key", summary: `${fieldName(path)} has no value`, hint };
}

function wrongKind({ path, schema, value }: Place): Problem {
  const kind = kindOf(value);
  const instead = schema === undefined ? undefined : noteOf(schema, "instead")?.[kind];
  const summary = `${fieldName(path)} must be ${expected(schema)}, not ${kind}`;
  return instead ?? { code: "wrong-kind", summary };
}

function wrongValue(issue: z.core.$ZodIssue, { path, schema, value }: Place): Problem {
  const name = fieldName(path);
  const hint = schema === undefined ? undefined : noteOf(schema, "hint");
  const wrong = (summary: string, otherwise?: string): Problem => ({
    code: "wrong-value",
    summary,
    hint: hint ?? otherwise,
  });
  switch (issue.code) {
    case "too_small":
      if (issue.origin === "string" || issue.origin === "array")
        return wrong(`${name} is empty`, `Give it ${expected(schema)}.`);
      return wrong(`${name} must be ${limits(schema)}, not ${Number(value)}`);
    case "too_big":
      if (issue.maximum === Number.MAX_SAFE_INTEGER) return wrong(`${name} must be ${expected(schema)}`);
      return wrong(`${name} must be ${limits(schema)}, not ${Number(value)}`);
    case "invalid_type":
      return wrong(`${name} must be ${expected(schema)}, a whole number`);
    case "invalid_value": {
      const near = nearest(String(value), issue.values.map(String));
      return wrong(`${name} must be ${expected(schema)}`, near === undefined ? undefined : `Did you mean ${near}?`);
    }
    case "custom": {
      const problem = refusal([issue]);
      return problem.summary === ""
        ? wrong(`${name} must be ${expected(schema)}`)
        : { ...problem, hint: problem.hint ?? hint };
    }
    default:
      return wrong(`${name} must be ${expected(schema)}`);
  }
}

/** What `refuse` was given. */
function refusal(issues: readonly z.core.$ZodIssue[]): Problem {
  const [issue] = issues;
  // Only `refuse` and `text` write it, and both write a problem.
  const problem = issue?.code === "custom" ? (issue.params?.["problem"] as Problem | undefined) : undefined;
  return problem ?? { code: "wrong-value", summary: "" };
}

function missing(parent: Place, { path, schema }: Place): Finding {
  const key = path.at(-1);
  const inside = parent.schema === undefined ? undefined : judge(parent.schema);
  // Only keys of ours can be missing; elsewhere a plugin took the value away.
  if (typeof key !== "string" || inside instanceof z.ZodRecord) return { path, lost: path };
  const example = schema === undefined ? undefined : noteOf(schema, "example");
  const hint = `Add ${key}: ${example ?? expected(schema)}.`;
  const problem: Problem = { code: "missing", summary: `${key} is missing`, at: "key", hint };
  // A file without a name or services is read on; any other map is nothing without what is missing.
  return { path: parent.path, problem, lost: parent.path.length === 0 ? path : parent.path };
}

function unknownKey(key: string, { path, schema }: Place): Finding {
  const map = schema === undefined ? undefined : mapIn(schema);
  const { counterparts: words = {}, knownTo11 = false } = (map === undefined ? undefined : notes.get(map)) ?? {};
  const known = Object.keys(map?.shape ?? {});
  const counterparts = new Map(Object.entries(words));
  const near = nearest(key, [...known, ...counterparts.keys()]) ?? "";
  // A misspelled word of compose means the counterpart of the word.
  const counterpart = counterparts.get(key) ?? counterparts.get(near);
  const problem: Problem = {
    code: "unknown-key",
    summary: `unknown key \`${key}\``,
    at: "key",
    hint: counterpart ?? (near === "" ? `Known here: ${known.join(", ")}.` : `Did you mean \`${near}\`?`),
    detail: knownTo11 ? "pctl 1.1 ignored this key." : undefined,
  };
  return { path: [...path, key], problem, lost: [...path, key] };
}

/** zod looks at the length of whatever has one, also of a list that it has just refused as text. */
function isOtherLength(origin: string, schema: Schema | undefined): boolean {
  const isList = schema !== undefined && judge(schema) instanceof z.ZodArray;
  return origin === (isList ? "string" : "array");
}

function limits(schema: Schema | undefined): string {
  const inside = schema === undefined ? undefined : judge(schema);
  const { minValue, maxValue } = inside instanceof z.ZodNumber ? inside : { minValue: 0, maxValue: 0 };
  return maxValue === Number.MAX_SAFE_INTEGER ? `at least ${minValue}` : `between ${minValue} and ${maxValue}`;
}

function expected(schema: Schema | undefined): string {
  return schema === undefined ? "another value" : expectedOf(schema);
}

function fieldName(path: FieldPath): string {
  const last = path.at(-1);
  if (last === undefined) return "the declaration";
  return typeof last === "number" ? `item ${last + 1} of ${String(path.at(-2) ?? "the list")}` : last;
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
