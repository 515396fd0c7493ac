import * as z from "zod";
import { isTree } from "../tree.ts";

/** Keys of this map that begin with `x-` are the user's own. */
export function withExtensions<M extends z.ZodObject>(map: M): z.ZodPreprocess<M> {
  return z.preprocess(withoutExtensions, map.meta({ patternProperties: { "^x-": {} } }));
}

function withoutExtensions(value: unknown): unknown {
  if (!isTree(value) || !Object.keys(value).some(isExtension)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isExtension(key)));
}

function isExtension(key: string): boolean {
  return key.startsWith("x-");
}
