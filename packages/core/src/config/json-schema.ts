import * as z from "zod";
import { file } from "./schema/stack.ts";
import { isTree } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** JSON Schema (2020-12) of `pctl.yaml`, for editors; `pctl schema` prints it. An expression may stand for any value. */
export function jsonSchema(): Readonly<Tree> {
  const schema: Tree = { ...z.toJSONSchema(file, { io: "input" }) };
  return {
    title: "pctl.yaml",
    ...withExpressions(schema, true),
    $defs: { expression: { type: "string", pattern: "\\$\\{[^}]+:" } },
  };
}

/** Beside each value that is not text already. */
function withExpressions(schema: Tree, isRoot = false): Tree {
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, convertKeyword(key, value)]));
  const isAnyText = schema["type"] === "string" && schema["pattern"] === undefined && schema["enum"] === undefined;
  if (isRoot || isAnyText || Object.keys(schema).length === 0) return inner;
  const { description, ...rest } = inner;
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, { $ref: "#/$defs/expression" }] };
}

function convertKeyword(key: string, value: unknown): unknown {
  if (key === "properties" || key === "patternProperties") {
    return isTree(value)
      ? Object.fromEntries(
          Object.entries(value).map(([name, each]) => [name, isTree(each) ? withExpressions(each) : each]),
        )
      : value;
  }
  if (key === "items" || key === "additionalProperties") return isTree(value) ? withExpressions(value) : value;
  // Alternatives share the one expression beside them.
  if (key === "anyOf" && Array.isArray(value))
    return value.map((each: unknown) => (isTree(each) ? withExpressions(each, true) : each));
  return value;
}
