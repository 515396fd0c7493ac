import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Of a test that needs a disk of its own: why it is skipped, or that it is not. In CI what is missing is a failure. */
export const skip: string | false = process.getuid?.() === 0 ? false : "missing: root, to mount a small disk";

/** A file system of its own at a folder, which a test can fill or close for writing. Only root can mount one. */
export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;

  constructor(folder: string, size: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "none", folder]);
    this.folder = folder;
    this.#filler = join(folder, "filler");
  }

  /** Not one byte can be written any more. */
  fill(): void {
    const file = openSync(this.#filler, "a");
    try {
      for (const size of [64 * 1024, 1]) {
        const zeros = Buffer.alloc(size);
        while (writes(file, zeros));
      }
    } finally {
      closeSync(file);
    }
  }

  close(): void {
    execFileSync("mount", ["-o", "remount,ro", this.folder]);
  }

  /** There is room again, and it may be written to. */
  repair(): void {
    execFileSync("mount", ["-o", "remount,rw", this.folder]);
    rmSync(this.#filler, { force: true });
  }

  /** What still has a file of it open keeps it until it ends. */
  unmount(): void {
    execFileSync("umount", ["--lazy", this.folder]);
  }
}

function writes(file: number, bytes: Buffer): boolean {
  try {
    return writeSync(file, bytes) > 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}
