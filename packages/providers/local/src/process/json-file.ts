import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { rename } from "node:fs/promises";
import { promisify } from "node:util";

const flush = promisify(fsync);

/**
 * The file's content, whose shape is its writer's promise; undefined where there is none. Every file is replaced as a
 * whole, so that a reader never sees half of one; what cannot be parsed was damaged by others and throws.
 */
// A type parameter rather than a cast at each of twenty callers: both only repeat what the file's writer wrote.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function readJsonFile<T>(path: string): T | undefined {
  try {
    // The caller names the type of a file that this package alone writes.
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/**
 * As `readJsonFile`, for files that are not kept safe from a loss of power: what cannot be parsed is absent. Many of them often are:
 * to look first costs a tenth of an error that nobody wants to see.
 */
// As above.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function readVolatileJson<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined;
  // Its writer may be in the middle of `overwriteJson`: what is half written now is whole the next time.
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    try {
      return readJsonFile<T>(path);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

/**
 * Writes over what is there, in one write, padded with white space. For small files that follow a process many times a second and
 * that nobody needs after a loss of power: replacing a file makes ext4 write it to disk each time.
 */
export function overwriteJson(path: string, value: unknown): void {
  const text = Buffer.from(JSON.stringify(value));
  let file: number;
  try {
    file = openSync(path, "r+");
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    return writeJsonFile(path, value);
  }
  try {
    const length = Math.max(text.length, fstatSync(file).size);
    writeSync(file, Buffer.concat([text, Buffer.alloc(length - text.length, " ")]), 0, length, 0);
  } finally {
    closeSync(file);
  }
}

/** Resolves when a file's content, or the names in a folder, outlive a loss of power; others work on meanwhile. */
export async function flushToDisk(path: string): Promise<void> {
  const file = openSync(path, "r");
  try {
    await flush(file);
  } finally {
    closeSync(file);
  }
}

/** Replaces the file atomically, mode 0600. `durable`: it outlives a loss of power. */
export function writeJsonFile(path: string, value: unknown, options: { readonly durable?: boolean } = {}): void {
  const next = `${path}.new`;
  const file = openSync(next, "w", 0o600);
  try {
    writeFileSync(file, JSON.stringify(value));
    if (options.durable === true) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}

/**
 * As `writeJsonFile`, and others work on meanwhile: ext4 begins to write to the disk within a rename that replaces a file, which takes
 * milliseconds. One call for a path at a time.
 */
export async function replaceJsonFile(path: string, value: unknown): Promise<void> {
  const next = `${path}.new`;
  writeFileSync(next, JSON.stringify(value), { mode: 0o600 });
  await rename(next, path);
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}
