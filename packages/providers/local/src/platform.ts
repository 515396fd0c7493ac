import { link, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { hostname } from "node:os";
import { CtrlPlaneError, sha256 } from "@ctrlplane/core/provider";
import { errnoOf, mapError, textIfThere, unlessAbsent } from "./errors.ts";

/**
 * Id of the platform that a data folder is, e.g. `local_3k…`. Where the folder is new nothing is written: the id is then
 * the one that `ensurePlatform` will write, a function of machine and folder.
 */
export async function readPlatformId(dir: string): Promise<string> {
  try {
    return storedId(dir) ?? (await derivedId(dir));
  } catch (error) {
    throw mapError(error, dir);
  }
}

/** The data folder exists, for this user alone, and has its id. Returns the id. */
export async function ensurePlatform(dir: string): Promise<string> {
  try {
    const stored = storedId(dir);
    if (stored !== undefined) return stored;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const platformId = await derivedId(dir);
    await createOnce(join(dir, "platform.json"), JSON.stringify({ platformId, createdAt: new Date().toISOString() }));
    return storedId(dir) ?? platformId;
  } catch (error) {
    throw mapError(error, dir);
  }
}

function storedId(dir: string): string | undefined {
  const file = join(dir, "platform.json");
  const text = textIfThere(file);
  if (text === undefined) return undefined;
  const id = /"platformId":\s*"(local_[0-9a-z]{26})"/.exec(text)?.[1];
  if (id !== undefined) return id;
  throw new CtrlPlaneError("INVALID", `${file} is damaged: it names no platform`, {
    target: file,
    hint: "Restore it, or remove it: it is made again for the same folder of the same machine.",
  });
}

async function derivedId(dir: string): Promise<string> {
  const machine = (await unlessAbsent(readFile("/etc/machine-id", "utf8")))?.trim() ?? "";
  const digest = sha256(JSON.stringify([machine, hostname(), await realFolder(dir)]));
  return `local_${BigInt(`0x${digest.slice(0, 32)}`)
    .toString(32)
    .padStart(26, "0")}`;
}

/** As `realpath`, also for what does not exist yet: the part that exists, made real, and the rest. */
async function realFolder(dir: string): Promise<string> {
  const real = await unlessAbsent(realpath(dir));
  if (real !== undefined) return real;
  const parent = dirname(dir);
  return parent === dir ? dir : join(await realFolder(parent), basename(dir));
}

/** A link to a finished file fails where the name is taken: the first one of several processes wins, whole. */
async function createOnce(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await link(temporary, file);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
