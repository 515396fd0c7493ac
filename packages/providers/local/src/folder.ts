import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
} from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createHash, hash } from "node:crypto";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Hash } from "node:crypto";
import type { BigIntStats, Dirent, ReadStream } from "node:fs";
import ignore from "ignore";
import { CtrlPlaneError, sha256, type HashCache } from "@ctrlplane/core/provider";
import { errnoOf, mapError, throwIfCancelled, unlessAbsent } from "./errors.ts";

/** One thing in a folder. `path` is relative, with `/`; `mode` are the nine permission bits. */
export type FolderEntry =
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly bytes: number;
      readonly sha256: string;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface FolderContent {
  /** Sorted by path, so that a folder comes before what is in it. */
  readonly entries: readonly FolderEntry[];
  /** Hex SHA-256 over path, mode and bytes of all entries; a link counts by the text of its target. Never time or owner. */
  readonly digest: string;
  readonly bytes: number;
  readonly files: number;
  /** Relative links that lead out of the folder: they will lead elsewhere in a copy. */
  readonly leaving: readonly string[];
}

export interface ReadOptions {
  readonly cache: HashCache;
  /** Absolute path that stays out: the data folder itself, should it lie within. */
  readonly except: string;
  /** The folder or file as the user wrote it; errors name it. */
  readonly declared: string;
  readonly signal: AbortSignal;
}

/** Files above this are read in pieces, so that memory and the event loop stay free. */
const wholeBytes = 4 * 1024 * 1024;
const pieceBytes = 1024 * 1024;
const sliceMs = 20;

/**
 * Everything in the folder, hashed. `.git`, state of ours (`pctl.*.json`, `.pctl/`, data folders of `local`) and what a
 * `.pctlignore` names stay out, nothing else. Links are kept and never followed.
 * @throws `INVALID` for what can be no part of an image (sockets, pipes, devices, what cannot be read), `CONFLICT` for
 * what changed while it was read.
 */
export async function readFolder(root: string, options: ReadOptions): Promise<FolderContent> {
  const entries: FolderEntry[] = [];
  const leaving: string[] = [];
  const isIgnored = await ignoreRules(root);
  const breathe = breather(options.signal);
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const children = await listFolder(root, folder, options);
    if (folder !== "" && isDataFolder(root, folder, children)) continue;
    if (folder !== "") entries.push({ kind: "folder", path: folder, mode: folderMode(join(root, folder)) });
    for (const child of children) {
      await breathe();
      const path = folder === "" ? child.name : `${folder}/${child.name}`;
      if (isOurs(child.name, join(root, path), options.except)) continue;
      if (isIgnored(child.isDirectory() ? `${path}/` : path)) continue;
      if (child.isDirectory()) {
        pending.push(path);
        continue;
      }
      const entry = await readEntry(root, path, options);
      if (entry.kind === "link" && leaves(path, entry.target)) leaving.push(path);
      entries.push(entry);
    }
  }
  return contentOf(entries, leaving);
}

/** A single file as a folder that holds it alone, under its own name. */
export async function readSingleFile(folder: string, name: string, options: ReadOptions): Promise<FolderContent> {
  return contentOf([await readEntry(folder, name, options)], []);
}

/** Hex SHA-256 of a file's bytes. */
export async function hashFile(path: string, bytes: number): Promise<string> {
  if (bytes <= wholeBytes) return hash("sha256", readFileSync(path));
  const whole = createHash("sha256");
  await addAll(whole, createReadStream(path, { highWaterMark: pieceBytes }));
  return whole.digest("hex");
}

/** Lets other work of the process through every 20 ms; throws `CANCELLED` when nobody wants the result any more. */
export function breather(signal: AbortSignal): () => Promise<void> | void {
  let since = performance.now();
  return () => {
    if (performance.now() - since < sliceMs) return;
    throwIfCancelled(signal);
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}

function contentOf(unsorted: readonly FolderEntry[], leaving: readonly string[]): FolderContent {
  const entries = unsorted.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const files = entries.filter((each) => each.kind === "file");
  return {
    entries,
    digest: sha256(entries.map(describeEntry).join("")),
    bytes: files.reduce((sum, each) => sum + each.bytes, 0),
    files: files.length,
    leaving,
  };
}

function describeEntry(entry: FolderEntry): string {
  if (entry.kind === "link") return `${JSON.stringify(["link", entry.path, entry.target])}\n`;
  const mode = entry.mode.toString(8);
  return `${JSON.stringify(entry.kind === "folder" ? ["folder", entry.path, mode] : ["file", entry.path, mode, entry.sha256])}\n`;
}

async function listFolder(root: string, folder: string, options: ReadOptions): Promise<readonly Dirent[]> {
  try {
    return await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    throw explain(error, folder, options);
  }
}

async function readEntry(root: string, path: string, options: ReadOptions): Promise<FolderEntry> {
  const whole = join(root, path);
  try {
    const stat = lstatSync(whole, { bigint: true });
    if (stat.isSymbolicLink()) return { kind: "link", path, target: readlinkSync(whole) };
    if (!stat.isFile()) throw notAFile(stat, path, options);
    const known = options.cache.lookup(path, stat);
    const digest = known ?? (await hashUnchanged(whole, stat, path, options));
    options.cache.record(path, stat, digest);
    return { kind: "file", path, mode: Number(stat.mode) & 0o777, bytes: Number(stat.size), sha256: digest };
  } catch (error) {
    throw explain(error, path, options);
  }
}

async function hashUnchanged(whole: string, seen: BigIntStats, path: string, options: ReadOptions): Promise<string> {
  // Neither a link nor a pipe that has taken the file's place since is opened.
  const fd = openSync(whole, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const digest = seen.size <= wholeBytes ? hash("sha256", readFileSync(fd)) : await hashLarge(fd, options.signal);
    const now = fstatSync(fd, { bigint: true });
    if (now.ino !== seen.ino || now.size !== seen.size || now.mtimeNs !== seen.mtimeNs) throw changed(path, options);
    return digest;
  } finally {
    closeSync(fd);
  }
}

async function hashLarge(fd: number, signal: AbortSignal): Promise<string> {
  const whole = createHash("sha256");
  const bytes = createReadStream("", { fd, autoClose: false, start: 0, highWaterMark: pieceBytes });
  await addAll(whole, bytes, () => throwIfCancelled(signal));
  return whole.digest("hex");
}

async function addAll(whole: Hash, bytes: ReadStream, beforeEach?: () => void): Promise<void> {
  // Typed as `any` by node; without an encoding set, chunks are buffers.
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    beforeEach?.();
    whole.update(chunk);
  }
}

/** A folder that its owner could not enter could not be copied or removed either; those bits count as set. */
function folderMode(path: string): number {
  return (lstatSync(path).mode & 0o777) | 0o700;
}

function isOurs(name: string, path: string, except: string): boolean {
  return name === ".git" || name === ".pctl" || /^pctl\..+\.json$/.test(name) || path === except;
}

/** Another `local` provider's data: its ledger changes with every deploy, so it can be no part of what is deployed. */
function isDataFolder(root: string, folder: string, children: readonly Dirent[]): boolean {
  if (!children.some((child) => child.name === "platform.json" && child.isFile())) return false;
  return readFileSync(join(root, folder, "platform.json"), "utf8").includes('"platformId":"local_');
}

async function ignoreRules(root: string): Promise<(path: string) => boolean> {
  const text = await unlessAbsent(readFile(join(root, ".pctlignore"), "utf8"));
  if (text === undefined) return () => false;
  const rules = ignore().add(text);
  return (path) => rules.ignores(path);
}

function leaves(path: string, target: string): boolean {
  return !isAbsolute(target) && normalize(join(dirname(path), target)).split("/")[0] === "..";
}

function notAFile(stat: BigIntStats, path: string, options: ReadOptions): CtrlPlaneError {
  const what = stat.isSocket() ? "a socket" : stat.isFIFO() ? "a pipe" : "a device";
  return new CtrlPlaneError("INVALID", `${within(path, options)} is ${what}, which cannot be copied`, {
    target: path,
    hint: "Remove it, or name it in a `.pctlignore`.",
  });
}

function changed(path: string, options: ReadOptions): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${within(path, options)} changed while it was read`, {
    target: path,
    retryable: true,
    hint: "Run the same command again.",
  });
}

function explain(error: unknown, path: string, options: ReadOptions): CtrlPlaneError {
  const errno = errnoOf(error);
  if (errno === "ENOENT" || errno === "ELOOP") {
    // readdir gives names as text: what is no UTF-8 cannot be named back to the system.
    if (!path.includes("\ufffd")) return changed(path, options);
    return new CtrlPlaneError("INVALID", `${within(path, options)} has a name that is not UTF-8`, {
      hint: "Rename it.",
    });
  }
  if (errno === "EACCES" || errno === "EPERM") {
    return new CtrlPlaneError("INVALID", `${within(path, options)} cannot be read by this user`, {
      target: path,
      cause: error,
      hint: "Change its mode, or name it in a `.pctlignore`.",
    });
  }
  return mapError(error, within(path, options));
}

function within(path: string, options: ReadOptions): string {
  return path === "" || path === options.declared ? options.declared : `${path} in ${options.declared}`;
}
