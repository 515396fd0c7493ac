import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError, systemCode } from "./file-error.ts";

/** Makes `.pctl` in a folder, where caches and copies lie, and makes it ignore itself in git. Returns its path. */
export async function ensureCacheFolder(folder: string): Promise<string> {
  const path = join(folder, ".pctl");
  try {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, ".gitignore"), "*\n", { flag: "wx" });
  } catch (error) {
    // There from before, and perhaps changed by its owner.
    if (systemCode(error) !== "EEXIST") throw fileError(error, "make the folder", path);
  }
  return path;
}
