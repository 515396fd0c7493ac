import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { chmod, chown, readdir, readlink, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { syncFolder, writeNewFile } from "./durable-files.ts";
import { systemCode } from "./file-error.ts";

/** How bytes come to the disk; another one in tests of disks that fail. */
export type WriteNewFile = typeof writeNewFile;

/**
 * Replaces a file in one step: written beside it, brought to the disk, renamed. Its mode stays, its owner where that is
 * permitted; where it fails, at whatever point, the old file is as it was. `mode` is for a file that is new.
 */
export async function replaceFile(
  path: string,
  content: string,
  mode: number,
  write: WriteNewFile = writeNewFile,
): Promise<void> {
  const before = await statIfThere(path);
  const draft = join(dirname(path), `${draftPrefix(path)}${randomBytes(6).toString("hex")}${draftSuffix}`);
  try {
    await write(draft, content, before === undefined ? mode : before.mode & 0o777);
    if (before !== undefined) await likeBefore(draft, before);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes drafts of processes that were killed. Nobody may be writing this file. */
export async function removeDrafts(path: string): Promise<void> {
  for (const entry of await readdir(dirname(path))) {
    if (entry.startsWith(draftPrefix(path)) && entry.endsWith(draftSuffix))
      await rm(join(dirname(path), entry), { force: true });
  }
}

/** The file that is meant, where the path is a link to it: the link stays. It may not exist yet. */
export async function linkTarget(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links < 40; links += 1) {
    try {
      target = resolve(dirname(target), await readlink(target));
    } catch (error) {
      const code = systemCode(error);
      // It is no link, or nothing is there.
      if (code === "EINVAL" || code === "ENOENT") return target;
      throw error;
    }
  }
  throw Object.assign(new Error(`too many links: ${path}`), { code: "ELOOP" });
}

const draftSuffix = ".draft";

function draftPrefix(path: string): string {
  return `.${basename(path)}.`;
}

async function likeBefore(draft: string, before: Stats): Promise<void> {
  // The mode that `open` was given is narrowed by the process's umask.
  await chmod(draft, before.mode & 0o777);
  try {
    const now = await stat(draft);
    if (now.uid !== before.uid || now.gid !== before.gid) await chown(draft, before.uid, before.gid);
  } catch (error) {
    // Only root may give files away: then it is ours from now on.
    if (systemCode(error) !== "EPERM") throw error;
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
