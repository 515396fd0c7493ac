import { constants, mkdirSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readlink, rm, stat, symlink } from "node:fs/promises";
import type { Dirent } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import pLimit from "p-limit";

/** Copies under way at once: as many as keep node's four threads for files busy. */
const copies = 16;

export interface WorkFolderRequest {
  /** The folder to make; it must not exist. */
  readonly work: string;
  /** Content to copy, absolute. Absent: none. */
  readonly tree?: string;
  /** Symbolic links to make: `path` relative to the folder, `target` absolute. What the tree has at `path` gives way. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

/** Makes a working folder: a copy of a tree (modes and symbolic links kept, blocks shared where the file system can) with links to volumes. */
export async function makeWorkFolder(request: WorkFolderRequest): Promise<void> {
  mkdirSync(request.work, { mode: 0o700 });
  if (request.tree !== undefined) await copyTree(request.tree, request.work);
  for (const link of request.links) await makeLink(request.work, link);
}

/** Copies what lies in `from` into the folder `to`, which exists. */
export async function copyTree(from: string, to: string): Promise<void> {
  const limit = pLimit(copies);
  await copyFolder(from, to, limit);
}

async function copyFolder(from: string, to: string, limit: ReturnType<typeof pLimit>): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(entries.map((entry) => copyEntry(entry, join(from, entry.name), join(to, entry.name), limit)));
}

async function copyEntry(entry: Dirent, from: string, to: string, limit: ReturnType<typeof pLimit>): Promise<void> {
  if (entry.isDirectory()) {
    await limit(() => mkdir(to, { mode: 0o700 }));
    await copyFolder(from, to, limit);
    // Last: a folder that may not be written to could not have been filled.
    await limit(async () => chmod(to, (await stat(from)).mode & 0o7777));
  } else if (entry.isSymbolicLink()) {
    await limit(async () => symlink(await readlink(from), to));
  } else {
    await limit(() => copyFile(from, to, constants.COPYFILE_FICLONE));
  }
}

async function makeLink(work: string, link: { readonly path: string; readonly target: string }): Promise<void> {
  const path = join(work, link.path);
  const inside = relative(work, path);
  if (inside === "" || inside.startsWith("..") || isAbsolute(inside)) {
    throw new CtrlPlaneError("INVALID", `a volume's path must lie inside of the working folder: ${link.path}`, {
      target: link.path,
    });
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await rm(path, { recursive: true, force: true });
  await symlink(link.target, path);
}
