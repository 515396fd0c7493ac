import { mkdirSync, readdirSync, rmdirSync, rmSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { systemCode } from "./file-error.ts";

/** Ends the name of a folder that is a record; no word of a record's name can hold it. */
export const recordMark = "@";
/** What the names of tokens begin with: of a record that was never changed, and of the others. */
const fresh = "f.";
const changed = "t.";

/** Where a record of this name is. */
export function recordFolder(root: string, name: string): string {
  return join(root, name + recordMark);
}

/** The file that stands for a version of a record: while it is there, that version is the record. */
export interface Token {
  readonly version: string;
  readonly path: string;
  /** Where the value is: in the token itself until the record is changed for the first time. */
  readonly valuePath: string;
}

export function freshToken(record: string, version: string): Token {
  const path = join(record, fresh + version);
  return { version, path, valuePath: path };
}

export function changedToken(record: string, version: string): Token {
  return { version, path: join(record, changed + version), valuePath: join(record, `v.${version}`) };
}

/** The record's token; undefined where there is no record. */
export function tokenOf(record: string): Token | undefined {
  const found = entries(record);
  // POSIX lets a listing miss a name that is renamed meanwhile: a second one does not miss the new name too.
  const name = tokenIn(found) ?? (found.length === 0 ? undefined : tokenIn(entries(record)));
  if (name?.startsWith(fresh) === true) return freshToken(record, name.slice(fresh.length));
  return name === undefined ? undefined : changedToken(record, name.slice(changed.length));
}

function tokenIn(names: readonly string[]): string | undefined {
  return names.find((name) => name.startsWith(fresh) || name.startsWith(changed));
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

/** A place of this name for what no reader may see yet; the folder that it lies in exists. */
export function workPlace(root: string, name: string): string {
  return join(workFolder(root), name);
}

function workFolder(root: string): string {
  return join(root, `${recordMark}work`);
}

/** The work folder exists, without what processes left there that ended long ago. */
export function prepareWork(root: string, olderThanMs: number): void {
  const folder = workFolder(root);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
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
