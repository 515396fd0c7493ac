import { environmentsJson, stack } from "./schema/stack.ts";
import type { JsonSchema } from "./schema/shape.ts";
import { isTree } from "./tree.ts";

/** JSON Schema (2020-12) of `pctl.yaml`, for editors; `pctl schema` prints it. An expression may stand for any value. */
export function jsonSchema(): JsonSchema {
  const root = withExpressions(stack.json, true);
  const { properties } = root;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "pctl.yaml",
    ...root,
    properties: { ...(isTree(properties) ? properties : {}), environments: environmentsJson },
    $defs: { expression: { type: "string", pattern: "\\$\\{[^}]+:" } },
  };
}

/** Beside each value that is not text already. */
function withExpressions(schema: JsonSchema, isRoot = false): JsonSchema {
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, convertKeyword(key, value)]));
  if (isRoot || Object.keys(schema).length === 0 || (schema["type"] === "string" && schema["pattern"] === undefined))
    return inner;
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
