// One site on the platform: `record.json` says what it is, the link `public` what is served. Both are replaced whole.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { Labels, SettledRelease } from "@ctrlplane/core/provider";

export interface SiteRecord {
  readonly stack: string;
  readonly service: string;
  readonly labels: Labels;
  readonly settled: SettledRelease;
  /** Digest of what is published. */
  readonly image: string;
  readonly stopped: boolean;
}

export async function readRecord(folder: string): Promise<SiteRecord | undefined> {
  const text = await unlessAbsent(readFile(join(folder, "record.json"), "utf8"));
  return text === undefined ? undefined : (JSON.parse(text) as SiteRecord); // written by `writeRecord` alone
}

export async function writeRecord(folder: string, record: SiteRecord): Promise<void> {
  const draft = join(folder, `.${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  await writeFile(draft, JSON.stringify(record));
  await rename(draft, join(folder, "record.json"));
}

export async function linkedFolder(folder: string): Promise<string | undefined> {
  return unlessAbsent(readlink(join(folder, "public")));
}

/** `public` leads to `target`, or is gone. */
export async function linkFolder(folder: string, target: string | undefined): Promise<void> {
  if (target === undefined) return rm(join(folder, "public"), { force: true });
  const draft = join(folder, `.${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  await symlink(target, draft);
  await rename(draft, join(folder, "public"));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** By name. */
export async function foldersWithRecord(dir: string): Promise<[name: string, record: SiteRecord][]> {
  const names = ((await unlessAbsent(readdir(dir))) ?? []).toSorted();
  const records = await Promise.all(names.map(async (name) => [name, await readRecord(join(dir, name))] as const));
  return records.flatMap(([name, record]) => (record === undefined ? [] : [[name, record]]));
}

/** Undefined where there is nothing. What cannot be read is a platform that is not there. */
async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new CtrlPlaneError("UNAVAILABLE", error.message, { cause: error });
  });
}
