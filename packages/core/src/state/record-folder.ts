import type { Stats } from "node:fs";
import { mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
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
export async function tokenOf(record: string): Promise<string | undefined> {
  const found = await entries(record);
  // POSIX lets a listing miss a name that is renamed meanwhile: a second one does not miss the new name too.
  const seen = tokenIn(found) ?? (found.length === 0 ? undefined : tokenIn(await entries(record)));
  return seen?.slice(token.length);
}

function tokenIn(names: readonly string[]): string | undefined {
  return names.find((name) => name.startsWith(token));
}

/** Clears away what is left of a record whose token is gone. A token that came meanwhile stays, with its folder. */
export async function discard(record: string): Promise<void> {
  const left = await entries(record);
  if (tokenIn(left) !== undefined) return;
  // Versions are random: none of these names can belong to a record that is created here meanwhile.
  for (const entry of left) await rm(join(record, entry), { force: true });
  try {
    await rmdir(record);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(systemCode(error) ?? "")) throw error;
  }
}

/** Where folders are prepared that no reader may see yet. */
export async function workFolder(root: string): Promise<string> {
  const folder = join(root, `${recordMark}work`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes from the work folder what processes left there that ended long ago. */
export async function sweepWork(root: string, olderThanMs: number): Promise<void> {
  const folder = await workFolder(root);
  for (const entry of await entries(folder)) {
    const path = join(folder, entry);
    const found = await statIfThere(path);
    if (found !== undefined && Date.now() - found.mtimeMs > olderThanMs)
      await rm(path, { recursive: true, force: true });
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Names in a folder; none where there is no folder. */
export async function entries(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
