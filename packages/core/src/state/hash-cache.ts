import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { BigIntStats } from "node:fs";
import { sha256 } from "../model/hash.ts";
import { systemCode } from "./file-error.ts";

/** Content hashes of one folder's files, known by what the system says of them. Losing it costs time, nothing else. */
export interface HashCache {
  /** Hex SHA-256 of the file's bytes, where they cannot have changed since it was recorded. */
  lookup(path: string, stat: BigIntStats): string | undefined;
  record(path: string, stat: BigIntStats, digest: string): void;
  /** Writes what was recorded, atomically; what was not recorded since is forgotten. */
  save(): Promise<void>;
}

/**
 * A file changed twice within one tick of its file system's clock looks unchanged, so one whose change is younger than
 * this when it was hashed is hashed again the next time: git's rule for racily clean entries.
 */
const racyMs = 2000;

type Known = Readonly<Record<string, readonly [stat: string, digest: string]>>;

/**
 * The cache of one folder, in a file of `cacheDir` (absolute), which is made when something is saved. `kind` is whose it is, e.g. `local`, and
 * `key` tells it from others of the kind. `now`: milliseconds since the epoch.
 */
export async function openHashCache(
  cacheDir: string,
  kind: string,
  key: string,
  now: () => number = Date.now,
): Promise<HashCache> {
  const file = join(cacheDir, `${kind}-${sha256(key).slice(0, 16)}.json`);
  const known = await readKnown(file);
  const next = new Map<string, readonly [string, string]>();
  return {
    lookup(path, stat) {
      const entry = Object.hasOwn(known, path) ? known[path] : undefined;
      return entry !== undefined && entry[0] === identity(stat) ? entry[1] : undefined;
    },
    record(path, stat, digest) {
      const changedMs = Number((stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs) / 1_000_000n);
      if (now() - changedMs > racyMs) next.set(path, [identity(stat), digest]);
    },
    async save() {
      const text = JSON.stringify({ v: 1, files: Object.fromEntries(next) });
      if (text === JSON.stringify({ v: 1, files: known })) return;
      await writeAtomically(file, text, cacheDir);
    },
  };
}

/** For callers that have no folder for caches. */
export const noHashCache: HashCache = {
  lookup: () => undefined,
  record: () => undefined,
  save: () => Promise.resolve(),
};

function identity(stat: BigIntStats): string {
  return `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;
}

async function readKnown(file: string): Promise<Known> {
  try {
    const stored: unknown = JSON.parse(await readFile(file, "utf8"));
    if (stored === null || typeof stored !== "object" || !("v" in stored) || stored.v !== 1 || !("files" in stored))
      return {};
    // Written by `save` alone; a digest that somebody forged would be found when the files are copied.
    return stored.files as Known;
  } catch (error) {
    // Absent or damaged: everything is hashed again.
    if (error instanceof SyntaxError || systemCode(error) === "ENOENT") return {};
    throw error;
  }
}

async function writeAtomically(file: string, text: string, folder: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    // A cache that cannot be kept is no reason to refuse a plan.
    if (!["EACCES", "EROFS", "ENOSPC", "EDQUOT", "EPERM"].includes(systemCode(error) ?? "")) throw error;
  }
}
