import * as z from "zod";
import { anyOf } from "../nearest.ts";
import { notes } from "./notes.ts";
import type { Notes } from "./notes.ts";

export type Schema = z.core.$ZodType;

/** The schema that judges the kind of what stands in the file, free of what makes it optional or converts it. */
export function judge(schema: Schema): Schema {
  return layers(schema).at(-1) ?? schema;
}

/** Outermost first. */
function layers(schema: Schema): Schema[] {
  if (schema instanceof z.ZodOptional) return [schema, ...layers(schema.unwrap())];
  if (schema instanceof z.ZodPipe)
    return [schema, ...layers(schema.in instanceof z.ZodTransform ? schema.out : schema.in)];
  return [schema];
}

export function noteOf<K extends keyof Notes>(schema: Schema, key: K): Notes[K] | undefined {
  for (const layer of layers(schema)) {
    const note = notes.get(layer)?.[key];
    if (note !== undefined) return note;
  }
  return undefined;
}

/** What a value must be, for messages and the reference page. */
export function expectedOf(schema: Schema): string {
  const noted = noteOf(schema, "expected");
  if (noted !== undefined) return noted;
  const inside = judge(schema);
  if (inside instanceof z.ZodUnion) return anyOf([...new Set(inside.options.map(expectedOf))]);
  if (inside instanceof z.ZodLiteral) return anyOf(Array.from(inside.values, String));
  if (inside instanceof z.ZodArray) return "a list";
  return inside instanceof z.ZodUnknown ? "any value" : "a map";
}

/** The schema of one entry of a map or list. */
export function memberOf(schema: Schema, key: string | number): Schema | undefined {
  const inside = judge(schema);
  if (inside instanceof z.ZodUnion)
    return inside.options.map((each) => memberOf(each, key)).find((each) => each !== undefined);
  if (typeof key === "number") return inside instanceof z.ZodArray ? inside.element : undefined;
  if (inside instanceof z.ZodRecord) return inside.valueType;
  if (!(inside instanceof z.ZodObject)) return undefined;
  const { shape }: { shape: Readonly<Record<string, Schema>> } = inside;
  return Object.hasOwn(shape, key) ? shape[key] : undefined;
}

/** The map with keys of ours that a schema is, or has among its alternatives. */
export function mapIn(schema: Schema): z.ZodObject | undefined {
  const inside = judge(schema);
  if (inside instanceof z.ZodUnion) return inside.options.map(mapIn).find((each) => each !== undefined);
  return inside instanceof z.ZodObject ? inside : undefined;
}
