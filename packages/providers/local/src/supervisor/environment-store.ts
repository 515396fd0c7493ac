import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSealer, keyBytes, type Sealer } from "@ctrlplane/core/provider";
import { isErrno } from "../process/json-file.ts";
import type { ReplicaFiles } from "../layout.ts";

/**
 * The sealer of a data folder. Its key is the folder's own (`key`, mode 0600, made at first need): a supervisor must be able to
 * start its replicas again whatever `PCTL_KEY` the command that woke it has.
 */
export function folderSealer(dir: string): Sealer {
  const path = join(dir, "key");
  return createSealer(readKey(path) ?? makeKey(path));
}

export function storeEnvironment(
  files: ReplicaFiles,
  id: string,
  env: Readonly<Record<string, string>>,
  sealer: Sealer,
): void {
  writeFileSync(files.environment, sealer.seal(JSON.stringify(env), purpose(id)), { mode: 0o600 });
}

/** What `storeEnvironment` stored. Throws `FORBIDDEN` or `INVALID` where it cannot be opened. */
export function loadEnvironment(files: ReplicaFiles, id: string, sealer: Sealer): Readonly<Record<string, string>> {
  // Authenticated: `storeEnvironment` wrote it.
  return JSON.parse(sealer.open(readFileSync(files.environment, "utf8"), purpose(id))) as Record<string, string>;
}

function purpose(id: string): string {
  return `environment of replica ${id}`;
}

function readKey(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Whole or not at all, and only once: of two makers the first one's stays. */
function makeKey(path: string): Buffer {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, randomBytes(keyBytes), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path);
}
