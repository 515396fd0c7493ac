import * as z from "zod";
import { anyOf } from "../nearest.ts";
import { replaceTokens } from "../wiring-token.ts";
import { noted, refuse } from "./notes.ts";

const nul = {
  code: "nul",
  summary: "this text holds a NUL character, which no process can be given",
  hint: "Remove it.",
};

export interface TextOptions {
  readonly expected?: string;
  readonly pattern?: RegExp;
  readonly hint?: string;
  readonly allowEmpty?: boolean;
}

/** Each check ends the judgement: one value has one problem. */
export function text({ expected = "text", pattern, hint, allowEmpty = false }: TextOptions = {}): z.ZodString {
  const checks = [
    ...(allowEmpty ? [] : [z.minLength(1, { abort: true })]),
    ...(pattern === undefined ? [] : [z.regex(pattern, { abort: true })]),
    z.refine<string>(isWithoutNul, { abort: true, params: { problem: nul } }),
  ];
  return noted(z.string().check(...checks), { expected, hint });
}

export const anyText = text();

function isWithoutNul(content: string): boolean {
  return !replaceTokens(content, () => "").includes("\0");
}

/** Values of env become text; their source text where they stand in the file. */
export const envValue = noted(
  z
    .union([z.string(), z.number(), z.boolean()])
    .transform((value, context) => (isWithoutNul(String(value)) ? String(value) : refuse(context, nul))),
  { expected: "text, a number, or true or false" },
);

/** A whole number; also as text, since expressions give text. */
export function integer(options: { expected: string; min: number; max?: number }) {
  const { expected, min, max } = options;
  const least = z.int().min(min, { abort: true });
  const number = max === undefined ? least : least.max(max, { abort: true });
  return noted(z.preprocess(numberOfText, number), { expected });
}

function numberOfText(value: unknown): unknown {
  return typeof value === "string" && /^\s*[-+]?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;
}

export const flag = noted(
  z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean()),
  { expected: "true or false" },
);

/** One of a few words. */
export function word<const W extends string>(words: readonly W[]) {
  return noted(z.enum(words), { expected: anyOf(words) });
}

/** Taken as it is. */
export const anyMap = z.record(z.string(), z.unknown());
