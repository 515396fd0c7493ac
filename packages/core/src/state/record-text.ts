import { deflateRawSync, inflateRawSync } from "node:zlib";
import { CtrlPlaneError } from "../errors/error.ts";

/** Form of what this version writes. Readers refuse a newer one. */
const version = 1;
const worthCompressing = 1024;
const compressedMark = "z1:";

/** A record's text: JSON with kind and version, compressed (`z1:` and base64) where that is shorter. */
export function writeRecord(kind: string, content: object): string {
  const json = JSON.stringify({ v: version, kind, ...content });
  return json.length < worthCompressing ? json : compressText(json);
}

export function compressText(text: string): string {
  return compressedMark + deflateRawSync(text).toString("base64");
}

export function expandText(text: string): string {
  if (!text.startsWith(compressedMark)) return text;
  return inflateRawSync(Buffer.from(text.slice(compressedMark.length), "base64")).toString("utf8");
}

/**
 * The content of a record. `required` names the type of each field that a reader relies on; fields that are not named are
 * passed through. Throws `INVALID` for a damaged record, `UNSUPPORTED` for one that a later version wrote.
 */
export function readRecord<T extends object>(kind: string, text: string, name: string, required: FieldTypes<T>): T {
  const content = parse(text, name);
  if (typeof content["v"] === "number" && content["v"] > version) {
    throw new CtrlPlaneError("UNSUPPORTED", `the record ${name} was written by a later version of pctl`, {
      target: name,
      hint: "Use the version of pctl that the others use who change this stack.",
    });
  }
  if (content["v"] !== version || content["kind"] !== kind) throw damaged(name, `it is not a ${kind}`);
  // A mapped type over an unknown T: its keys are texts and its values `FieldType`, which the compiler does not see.
  for (const [field, type] of Object.entries(required as Readonly<Record<string, FieldType>>)) {
    if (!hasType(content[field], type)) throw damaged(name, `its field ${field} is not ${article(type)}`);
  }
  const { v: _v, kind: _kind, ...rest } = content;
  // The fields that callers rely on were checked above; the rest was written from the same type.
  return rest as T;
}

type FieldType = "string" | "number" | "object" | "array";

/** Fields of a record that must be there, and what they are. */
export type FieldTypes<T extends object> = { readonly [Field in keyof T]?: FieldType };

function parse(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(expandText(text));
  } catch (cause) {
    throw damaged(name, "it cannot be read", cause);
  }
  if (!hasType(value, "object")) throw damaged(name, "it holds no object");
  // An object that is not an array has string keys.
  return value as Record<string, unknown>;
}

function hasType(value: unknown, type: FieldType): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function article(type: string): string {
  return type === "array" || type === "object" ? `an ${type}` : `a ${type}`;
}

export function damaged(name: string, why: string, cause?: unknown): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", `the record ${name} is damaged: ${why}`, {
    target: name,
    hint: "Restore the ledger from a backup, or remove this record and deploy again.",
    ...(cause === undefined ? {} : { cause }),
  });
}
