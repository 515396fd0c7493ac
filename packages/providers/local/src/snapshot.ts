import { chmodSync, constants, copyFileSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { hash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ProviderContext } from "@ctrlplane/core/provider";
import { flushTree } from "./durable-tree.ts";
import { flushToDisk } from "./process/json-file.ts";
import { errnoOf, mapError, textIfThere, unlessAbsent } from "./errors.ts";
import { breather, hashFile } from "./folder.ts";
import type { FolderContent, FolderEntry } from "./folder.ts";

/** Says of a snapshot what it is; it is written last, so that a folder with it is whole. */
export interface SnapshotManifest {
  readonly v: 1;
  readonly digest: string;
  /** As the user wrote it when it was made. */
  readonly declared: string;
  readonly bytes: number;
  readonly files: number;
  /** Name of the file, where the image is a single one. */
  readonly single?: string;
}

/** The content-addressed copies of images in a data folder: `snapshots/<hex>/{ manifest.json, tree/ }`. */
export interface SnapshotStore {
  /** Folder with the files of a whole snapshot. */
  tree(digest: string): string;
  find(digest: string): Promise<SnapshotManifest | undefined>;
  /** Keeps it from being pruned for the next hour. */
  touch(digest: string): Promise<void>;
  /**
   * Copies `content` from `root`. Atomic: a snapshot is whole or absent.
   * @throws `CONFLICT` where the files are others by now, `QUOTA` where there is no room; nothing is left then.
   */
  create(root: string, content: FolderContent, manifest: SnapshotManifest, context: ProviderContext): Promise<void>;
  /** Removes what is not in `used` and was not touched for an hour, and what dead processes left half-made. */
  prune(used: ReadonlySet<string>, now: number): Promise<void>;
}

const restMs = 60 * 60 * 1000;
/** Files above this are copied and hashed off the event loop. */
const largeBytes = 1024 * 1024;
/** Room that a copy leaves free for logs and records. */
const reserveBytes = 64 * 1024 * 1024;

export function snapshotStore(dir: string): SnapshotStore {
  const base = join(dir, "snapshots");
  const folderOf = (digest: string) => join(base, hexOf(digest));
  const find = (digest: string) => Promise.resolve(readManifest(folderOf(digest)));
  const touch = async (digest: string) => {
    const now = new Date();
    await utimes(folderOf(digest), now, now);
  };
  return {
    tree: (digest) => join(folderOf(digest), "tree"),
    find,
    touch,
    async create(root, content, manifest, context) {
      await mkdir(base, { recursive: true, mode: 0o700 });
      await requireRoom(base, content.bytes, manifest.declared);
      const temporary = join(base, `.making-${process.pid}-${randomBytes(6).toString("hex")}`);
      try {
        await copyTree(root, join(temporary, "tree"), content, manifest, context);
        await writeFile(join(temporary, "manifest.json"), JSON.stringify(manifest), { flush: true });
        await flushToDisk(temporary);
        await renameUnlessThere(temporary, folderOf(manifest.digest));
        await flushToDisk(base);
      } catch (error) {
        await rm(temporary, { recursive: true, force: true });
        const errno = errnoOf(error);
        if (errno === "ENOSPC" || errno === "EDQUOT") throw await noRoom(base, content.bytes, manifest.declared, error);
        throw mapError(error, manifest.declared);
      }
    },
    async prune(used, now) {
      for (const name of (await unlessAbsent(readdir(base))) ?? []) {
        const folder = join(base, name);
        const found = await unlessAbsent(stat(folder));
        const resting = found === undefined || now - found.mtimeMs > restMs;
        if (!resting || used.has(`sha256:${name}`)) continue;
        // Out of the way in one step: a snapshot that is half removed must not pass for a whole one.
        const gone = name.startsWith(".") ? folder : join(base, `.gone-${name}-${randomBytes(4).toString("hex")}`);
        if (gone !== folder && (await unlessAbsent(rename(folder, gone).then(() => true))) === undefined) continue;
        await rm(gone, { recursive: true, force: true });
      }
    },
  };
}

function hexOf(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex === undefined)
    throw new CtrlPlaneError("INVALID", `"${digest}" is not the digest of files`, { target: digest });
  return hex;
}

function readManifest(folder: string): SnapshotManifest | undefined {
  const file = join(folder, "manifest.json");
  const text = textIfThere(file);
  if (text === undefined) return undefined;
  try {
    // Written by `create` alone, and flushed before the folder got its name.
    return JSON.parse(text) as SnapshotManifest;
  } catch (error) {
    throw new CtrlPlaneError("INVALID", `${file} is damaged`, {
      target: file,
      hint: `Remove the folder ${folder}; the next deploy makes it again.`,
      cause: error,
    });
  }
}

async function copyTree(
  root: string,
  tree: string,
  content: FolderContent,
  manifest: SnapshotManifest,
  context: ProviderContext,
): Promise<void> {
  const breathe = breather(context.signal);
  const report = progressReporter(content.bytes, manifest.declared, context);
  await mkdir(tree, { recursive: true, mode: 0o700 });
  for (const entry of content.entries) {
    await breathe();
    if (entry.kind === "folder") await mkdir(join(tree, entry.path), { mode: 0o700 });
    else if (entry.kind === "link") await copyLink(root, tree, entry, manifest);
    else {
      await copyVerified(join(root, entry.path), join(tree, entry.path), entry, manifest);
      report(entry.bytes);
    }
  }
  await breathe();
  // Before the modes: a folder that may not be read could not be opened for it.
  await flushTree(tree, content);
  for (const entry of content.entries) if (entry.kind === "folder") await chmod(join(tree, entry.path), entry.mode);
}

/** What lies in the snapshot is what is hashed, so that no change during the copy goes unseen. */
async function copyVerified(
  from: string,
  to: string,
  entry: Extract<FolderEntry, { kind: "file" }>,
  manifest: SnapshotManifest,
): Promise<void> {
  const isLarge = entry.bytes > largeBytes;
  try {
    // A small file is copied sooner than a thread is asked to.
    if (isLarge) await copyFile(from, to, constants.COPYFILE_FICLONE);
    else copyFileSync(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw changed(manifest, entry.path);
    throw error;
  }
  const digest = isLarge ? await hashFile(to, entry.bytes) : hash("sha256", readFileSync(to));
  if (digest !== entry.sha256) throw changed(manifest, entry.path);
  if ((lstatSync(to).mode & 0o777) !== entry.mode) chmodSync(to, entry.mode);
}

async function copyLink(
  root: string,
  tree: string,
  entry: Extract<FolderEntry, { kind: "link" }>,
  manifest: SnapshotManifest,
): Promise<void> {
  let target: string | undefined;
  try {
    target = readlinkSync(join(root, entry.path));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "EINVAL") throw error;
  }
  if (target !== entry.target) throw changed(manifest, entry.path);
  await symlink(entry.target, join(tree, entry.path));
}

/** Two processes may make one snapshot at the same time; the content is equal, so the first one stays. */
async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== "ENOTEMPTY" && errno !== "EEXIST") throw error;
    await rm(from, { recursive: true, force: true });
  }
}

async function requireRoom(base: string, bytes: number, declared: string): Promise<void> {
  if ((await freeBytes(base)) < bytes + reserveBytes) throw await noRoom(base, bytes, declared);
}

async function noRoom(base: string, bytes: number, declared: string, cause?: unknown): Promise<CtrlPlaneError> {
  const free = formatBytes(await freeBytes(base));
  return new CtrlPlaneError(
    "QUOTA",
    `no room for a copy of ${declared}: it needs ${formatBytes(bytes)} and ${formatBytes(reserveBytes)} to spare, and ${base} has ${free} free`,
    {
      target: declared,
      hint: "Free some space, or leave out what need not be deployed with a `.pctlignore`.",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function progressReporter(total: number, declared: string, context: ProviderContext): (bytes: number) => void {
  let done = 0;
  let last = context.clock.monotonic();
  return (bytes) => {
    done += bytes;
    if (context.clock.monotonic() - last < 1000) return;
    last = context.clock.monotonic();
    context.progress({
      type: "build.progress",
      message: `${declared}: copied ${formatBytes(done)} of ${formatBytes(total)}`,
      data: { doneBytes: done, totalBytes: total },
    });
  };
}

function changed(manifest: SnapshotManifest, path: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${path} in ${manifest.declared} changed while it was read`, {
    target: manifest.declared,
    retryable: true,
    hint: "Run the same command again.",
  });
}

/** `1.2 MB`; powers of 1000, as disks and `ls --si` count. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? "B"}`;
}
