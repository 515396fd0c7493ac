import { mkdirSync, readdirSync, rmdirSync, rmSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { systemCode } from "./file-error.ts";

/** Ends the name of a folder that is a record; no word of a record's name can hold it. */
export const recordMark = "@";
const token = "t.";

/** Where a record of this name is. */
export function recordFolder(root: string, name: string): string {
  return join(root, name + recordMark);
}

export function tokenName(version: string): string {
  return token + version;
}

export function valueName(version: string): string {
  return `v.${version}`;
}

/** The record's version; undefined where there is no record. */
export function tokenOf(record: string): string | undefined {
  const found = entries(record);
  // POSIX lets a listing miss a name that is renamed meanwhile: a second one does not miss the new name too.
  const seen = tokenIn(found) ?? (found.length === 0 ? undefined : tokenIn(entries(record)));
  return seen?.slice(token.length);
}

function tokenIn(names: readonly string[]): string | undefined {
  return names.find((name) => name.startsWith(token));
}

/** Clears away what is left of a record whose token is gone. A token that came meanwhile stays, with its folder. */
export function discard(record: string): void {
  const left = entries(record);
  if (tokenIn(left) !== undefined) return;
  // Versions are random: none of these names can belong to a record that is created here meanwhile.
  for (const entry of left) rmSync(join(record, entry), { force: true });
  try {
    rmdirSync(record);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(systemCode(error) ?? "")) throw error;
  }
}

/** Where folders are prepared that no reader may see yet. */
export function workFolder(root: string): string {
  const folder = join(root, `${recordMark}work`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes from the work folder what processes left there that ended long ago. */
export function sweepWork(root: string, olderThanMs: number): void {
  const folder = workFolder(root);
  for (const entry of entries(folder)) {
    const path = join(folder, entry);
    const found = statIfThere(path);
    if (found !== undefined && Date.now() - found.mtimeMs > olderThanMs) rmSync(path, { recursive: true, force: true });
  }
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Names in a folder; none where there is no folder. */
export function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
