import { randomBytes } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "@ctrlplane/core/provider";
import { errnoOf } from "./errno.ts";

/** Content hashes of one folder's files, known by what the system says of them. Losing it costs time, nothing else. */
export interface HashCache {
  /** Hex SHA-256 of the file's bytes, where they cannot have changed since it was recorded. */
  lookup(path: string, stat: BigIntStats): string | undefined;
  record(path: string, stat: BigIntStats, digest: string): void;
  /** Writes what was recorded, atomically; what was not recorded since is forgotten. */
  save(): Promise<void>;
}

/** For callers that have no folder for caches. */
export const noHashCache: HashCache = {
  lookup: () => undefined,
  record: () => undefined,
  save: () => Promise.resolve(),
};

type Known = Readonly<Record<string, readonly [stat: string, digest: string]>>;

/** A file that changes twice within one tick of the file system's clock looks unchanged: what is younger than this is hashed again. */
const racyMs = 2000;

/** The cache for one build (`key` tells it from others) in `folder`, which is made when something is saved. `now`: milliseconds since the epoch. */
export async function openHashCache(folder: string, key: string, now: () => number = Date.now): Promise<HashCache> {
  const file = join(folder, `images-${sha256(key).slice(0, 16)}.json`);
  const known = await readKnown(file);
  const next = new Map<string, readonly [string, string]>();
  return {
    lookup(path, stat) {
      const entry = Object.hasOwn(known, path) ? known[path] : undefined;
      return entry !== undefined && entry[0] === identity(stat) ? entry[1] : undefined;
    },
    record(path, stat, digest) {
      const changedNs = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
      if (now() - Number(changedNs / 1_000_000n) > racyMs) next.set(path, [identity(stat), digest]);
    },
    async save() {
      const files = Object.fromEntries(next);
      if (JSON.stringify(files) !== JSON.stringify(known)) await replace(file, JSON.stringify({ v: 1, files }), folder);
    },
  };
}

function identity(stat: BigIntStats): string {
  return `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;
}

async function readKnown(file: string): Promise<Known> {
  try {
    const stored: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof stored !== "object" || stored === null || !("v" in stored) || stored.v !== 1 || !("files" in stored))
      return {};
    // `save` alone writes it; a forged hash is found when the file is sent, which hashes it again.
    return stored.files as Known;
  } catch (error) {
    // Absent or damaged: everything is hashed again.
    if (error instanceof SyntaxError || errnoOf(error) === "ENOENT") return {};
    throw error;
  }
}

async function replace(file: string, text: string, folder: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    // A cache that cannot be kept is no reason to refuse a plan.
    if (!["EACCES", "EROFS", "ENOSPC", "EDQUOT", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
  }
}
