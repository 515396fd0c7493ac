import { createHash, hash } from "node:crypto";
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  type BigIntStats,
} from "node:fs";
import { join } from "node:path";
import { CtrlPlaneError, isCtrlPlaneError, type HashCache } from "@ctrlplane/core/provider";
import type { ContextEntry } from "./entry.ts";
import { errnoOf } from "./errno.ts";

export interface EntryPlace {
  /** Absolute path of the context. */
  readonly root: string;
  /** As the user wrote it; errors name it. */
  readonly declared: string;
  readonly cache: HashCache;
  readonly signal?: AbortSignal;
}

/** Files above this are read in pieces, so that memory and the event loop stay free. */
const wholeBytes = 4 * 1024 * 1024;
const modeBits = 0o7777;

/**
 * A file with its hash, a link or a folder; undefined for a socket, which Docker leaves out as well.
 * @throws `INVALID` for what cannot be sent (pipes, devices, what cannot be read), `CONFLICT` for what changed while it was read.
 */
export async function readEntry(path: string, place: EntryPlace): Promise<ContextEntry | undefined> {
  const whole = join(place.root, path);
  try {
    const stat = lstatSync(whole, { bigint: true });
    const mode = Number(stat.mode) & modeBits;
    const head = { path, mode, mtimeMs: Number(stat.mtimeMs) };
    if (stat.isDirectory()) return { kind: "folder", ...head };
    if (stat.isSymbolicLink()) return { kind: "link", ...head, target: readlinkSync(whole) };
    if (stat.isSocket()) return undefined;
    if (!stat.isFile()) throw notAFile(stat, path, place.declared);
    const sha256 = place.cache.lookup(path, stat) ?? (await hashUnchanged(whole, stat, path, place));
    place.cache.record(path, stat, sha256);
    return { kind: "file", ...head, bytes: Number(stat.size), sha256 };
  } catch (error) {
    throw explainRead(error, path, place.declared);
  }
}

async function hashUnchanged(whole: string, seen: BigIntStats, path: string, place: EntryPlace): Promise<string> {
  // Neither a link nor a pipe that has taken the file's place since is opened.
  const fd = openSync(whole, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const digest = seen.size <= wholeBytes ? hash("sha256", readFileSync(fd)) : await hashLarge(fd, place.signal);
    const now = fstatSync(fd, { bigint: true });
    if (now.ino !== seen.ino || now.size !== seen.size || now.mtimeNs !== seen.mtimeNs)
      throw changed(path, place.declared);
    return digest;
  } finally {
    closeSync(fd);
  }
}

async function hashLarge(fd: number, signal: AbortSignal | undefined): Promise<string> {
  const digest = createHash("sha256");
  const bytes = createReadStream("", { fd, autoClose: false, start: 0, highWaterMark: 1024 * 1024 });
  // Without an encoding, pieces are buffers.
  for await (const piece of bytes as AsyncIterable<Buffer>) {
    signal?.throwIfAborted();
    digest.update(piece);
  }
  return digest.digest("hex");
}

/** Another content than the one that was hashed. */
export function changed(path: string, declared: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${path} in ${declared} changed while it was read`, {
    target: path,
    retryable: true,
    hint: "Run the same command again.",
  });
}

/** An error of reading a context, in words that name the file. */
export function explainRead(error: unknown, path: string, declared: string): unknown {
  if (isCtrlPlaneError(error)) return error;
  const errno = errnoOf(error);
  if (errno === "ENOENT" || errno === "ELOOP" || errno === "ENOTDIR") {
    // A name that is no UTF-8 cannot be named back to the system.
    if (!path.includes("\ufffd")) return changed(path, declared);
    return new CtrlPlaneError("INVALID", `${path} in ${declared} has a name that is not UTF-8`, { hint: "Rename it." });
  }
  if (errno !== "EACCES" && errno !== "EPERM") return error;
  return new CtrlPlaneError("INVALID", `${path} in ${declared} cannot be read by this user`, {
    target: path,
    cause: error,
    hint: "Change its mode, or name it in the .dockerignore.",
  });
}

function notAFile(stat: BigIntStats, path: string, declared: string): CtrlPlaneError {
  const what = stat.isFIFO() ? "a pipe" : "a device";
  return new CtrlPlaneError("INVALID", `${path} in ${declared} is ${what}, which cannot be part of an image`, {
    target: path,
    hint: "Remove it, or name it in the .dockerignore.",
  });
}
