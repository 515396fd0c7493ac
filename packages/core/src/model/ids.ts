import { createHash } from "node:crypto";
import { fromUUIDBytes, typeidUnboxed } from "typeid-js";

/** TypeIDs: `prefix_` and 26 characters; those made by `newId` sort by time. */
export type IdPrefix = "inst" | "rel" | "chg" | "dep" | "lin";

export function newId(prefix: IdPrefix): string {
  return typeidUnboxed(prefix);
}

/** A TypeID that is a function of a digest of at least 16 bytes. */
export function derivedId(prefix: IdPrefix, digest: Uint8Array): string {
  const bytes = digest.slice(0, 16);
  // The bits that RFC 9562 reserves for "version 8: custom" and its variant.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return fromUUIDBytes(prefix, bytes).toString();
}

/** An instance's id, a function of what it is: equal on every machine and computable again from labels alone. */
export function instanceId(of: { lineage: string; stack: string; service: string; platformId: string }): string {
  const text = JSON.stringify([of.lineage, of.stack, of.service, of.platformId]);
  return derivedId("inst", createHash("sha256").update(text).digest());
}
