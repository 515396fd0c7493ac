import { chmod, mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { FileMount } from "@ctrlplane/core/provider";
import { unlessAbsent } from "./errors.ts";

/** The content of `files:`, kept by its digest in `files/`, so that a rollback finds it. */
export interface MountedFiles {
  /** Where the content lies; made if it is not there. */
  ensure(file: FileMount): Promise<string>;
  /** Removes what is not in `used` and was not asked for within the last hour. */
  prune(used: ReadonlySet<string>, now: number): Promise<void>;
}

const restMs = 60 * 60 * 1000;

export function mountedFiles(dir: string): MountedFiles {
  const folder = join(dir, "files");
  return {
    async ensure({ digest, executable, contentBase64 }) {
      const file = join(folder, digest);
      const now = new Date();
      // Replicas of several releases read one file: none may write to it.
      const mode = executable === true ? 0o500 : 0o400;
      if ((await unlessAbsent(utimes(file, now, now).then(() => true))) === true) {
        // One content may be mounted twice, and be a program in one place.
        if (executable === true) await chmod(file, mode);
        return file;
      }
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = join(folder, `.making-${randomBytes(6).toString("hex")}`);
      await writeFile(temporary, Buffer.from(contentBase64, "base64"), { mode });
      await rename(temporary, file);
      return file;
    },
    async prune(used, now) {
      for (const name of (await unlessAbsent(readdir(folder))) ?? []) {
        const found = await unlessAbsent(stat(join(folder, name)));
        if (used.has(name) || found === undefined || now - found.mtimeMs <= restMs) continue;
        await rm(join(folder, name), { force: true });
      }
    },
  };
}
